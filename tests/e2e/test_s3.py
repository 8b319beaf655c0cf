"""Repositories in buckets of a real S3 server: what holds of folders holds of them."""

import unittest

import test_golden
import test_publish
from radosgw import OnS3


class SmallGolden(OnS3, test_golden.Small):
    pass


class SmallGoldenPublish(OnS3, test_publish.SmallGoldenPublish):
    pass


class Publish(OnS3, test_publish.Publish):
    pass


class Aliases(OnS3, test_publish.Aliases):
    pass


class Metadata(OnS3, test_publish.Metadata):
    pass


if __name__ == "__main__":
    unittest.main()
