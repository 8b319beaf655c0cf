/* probe.c: one timed piece of work for bench/run, without an interpreter in between.
 *
 *     probe sequential FILE            read it in pieces of 1 MiB
 *     probe random FILE COUNT          so many reads of 4 KiB
 *     probe map FILE                   touch each page of a shared mapping
 *     probe open FILE COUNT            open, read 4 KiB, close
 *     probe stat FILE COUNT
 *     probe inflate FILE OFFSET SIZE   raw deflate data at OFFSET, into a new file
 * ./inflated
 *
 * Prints seconds. */
#include <err.h>
#include <fcntl.h>
#include <isa-l/igzip_lib.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { PIECE = 1 << 20, PAGE = 4096 };

static unsigned char buffer[PIECE], output[PIECE];

static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static int open_file(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        err(1, "open '%s'", path);
    return fd;
}

static size_t size_of(int fd)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        err(1, "fstat");
    return (size_t)st.st_size;
}

static void read_sequentially(const char *path)
{
    int fd = open_file(path);
    ssize_t got;

    while ((got = read(fd, buffer, PIECE)) > 0)
        ;
    if (got < 0)
        err(1, "read '%s'", path);
    close(fd);
}

static void read_at_random(const char *path, long count)
{
    int fd = open_file(path);
    size_t pages = size_of(fd) / PAGE;
    uint64_t state = 1;

    for (long i = 0; i < count; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        if (pread(fd, buffer, PAGE, (off_t)((state >> 33) % pages * PAGE)) != PAGE)
            err(1, "pread '%s'", path);
    }
    close(fd);
}

static void read_map(const char *path)
{
    int fd = open_file(path);
    size_t size = size_of(fd);
    const volatile unsigned char *map = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);

    if (map == MAP_FAILED)
        err(1, "mmap '%s'", path);
    for (size_t at = 0; at < size; at += PAGE)
        (void)map[at];
    munmap((void *)(uintptr_t)map, size);
    close(fd);
}

static void open_often(const char *path, long count)
{
    for (long i = 0; i < count; i++) {
        int fd = open_file(path);

        if (read(fd, buffer, PAGE) < 0)
            err(1, "read '%s'", path);
        close(fd);
    }
}

static void stat_often(const char *path, long count)
{
    struct stat st;

    for (long i = 0; i < count; i++)
        if (stat(path, &st) < 0)
            err(1, "stat '%s'", path);
}

static void inflate_raw(const char *path, off_t offset, size_t size)
{
    struct inflate_state state;
    int from = open_file(path);
    int to = open("inflated", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    if (to < 0)
        err(1, "create 'inflated'");
    isal_inflate_init(&state);
    while (state.block_state != ISAL_BLOCK_FINISH) {
        if (state.avail_in == 0) {
            ssize_t got = pread(from, buffer, size < PIECE ? size : PIECE, offset);

            if (got <= 0)
                err(1, "pread '%s'", path);
            offset += got;
            size -= (size_t)got;
            state.next_in = buffer;
            state.avail_in = (uint32_t)got;
        }
        state.next_out = output;
        state.avail_out = PIECE;
        if (isal_inflate(&state) != ISAL_DECOMP_OK)
            errx(1, "inflate '%s'", path);
        if (write(to, output, PIECE - state.avail_out) < 0)
            err(1, "write 'inflated'");
    }
    close(from);
    close(to);
}

int main(int argc, char **argv)
{
    const char *kind = argc > 2 ? argv[1] : "";
    const char *path = argc > 2 ? argv[2] : "";
    long long first = argc > 3 ? atoll(argv[3]) : 0;
    double start = now();

    if (strcmp(kind, "sequential") == 0)
        read_sequentially(path);
    else if (strcmp(kind, "random") == 0)
        read_at_random(path, (long)first);
    else if (strcmp(kind, "map") == 0)
        read_map(path);
    else if (strcmp(kind, "open") == 0)
        open_often(path, (long)first);
    else if (strcmp(kind, "stat") == 0)
        stat_often(path, (long)first);
    else if (strcmp(kind, "inflate") == 0 && argc > 4)
        inflate_raw(path, (off_t)first, (size_t)atoll(argv[4]));
    else
        errx(2, "unknown work; see the top of probe.c");
    printf("%.9f\n", now() - start);
    return 0;
}
