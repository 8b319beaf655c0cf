"""What is changed through a mount, and what works without the server, on buckets of a real
S3 server."""

import errno
import unittest

import test_aliases
import test_meta
import test_offline
import test_staging
from mounted import MountTest
from ports import Port
from radosgw import OnS3
from test_golden import WHOLE


class Aliases(OnS3, test_aliases.Aliases):
    """But for those that take long or ask no repository."""

    test_bad_names = test_changes_while_workers_die = test_many_moves = None


class Meta(OnS3, test_meta.Meta):
    """But for those that ask no repository."""

    test_mode = test_no_mapping = test_nothing_written = test_too_much = None
    test_what_cannot_be_written = None


class Kills(OnS3, test_meta.Kills):
    test_workers_die_at_any_moment = None


class SmallGoldenStaging(OnS3, test_staging.SmallGoldenStaging):
    pass


if (WHOLE / "expected.json").exists():
    class WholeGoldenStaging(OnS3, test_staging.WholeGoldenStaging):
        pass


class Offline(OnS3, test_offline.OfflineCase, MountTest):
    """The server is killed and started anew."""

    gone = (errno.ECONNREFUSED, errno.ETIMEDOUT)
    test_commands = test_changes_of_others_are_seen_again = test_damaged_memory = None

    def setUp(self):
        port = Port()
        self.addCleanup(port.close)
        self.gateway_port = port.number
        super().setUp()
        self.gateway = f"rgw-{self.tenant}"
        self.addCleanup(self.rgw.stop_gateway, self.gateway)
        self.come_back()

    def serve(self, host):
        backend, _ = super().serve(host)
        return backend, f"http://127.0.0.1:{self.gateway_port}"

    def go_away(self):
        self.rgw.stop_gateway(self.gateway)

    def come_back(self):
        self.rgw.start_gateway(self.gateway_port, self.gateway)


if __name__ == "__main__":
    unittest.main()
