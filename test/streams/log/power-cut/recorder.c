/* Loaded before everything else (LD_PRELOAD): notes what this process asks of the files below $RECORD_DIR, in order, in $RECORD_TO. What is noted is
 * `kind u32, id u32, file u32, result i32, offset u64, length u64` and that many bytes. Kinds: 1 opened (the path; result 1: made now, 2: writes through),
 * 2 write begins (its bytes), 3 sync begins, 4 truncated, 5 what had this id ended with this result, 6 renamed (the old path, a zero, the new one), 7 unlinked (the path). */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#define FILES 4096
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int followed[FILES]; /* 0: not, else the number of the file at which the descriptor looks */
static int to = -1;
static uint32_t ids, files;
struct note { uint32_t kind, id, file; int32_t result; uint64_t offset, length; };

#define NEXT(name) __typeof__(name) *next = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

static void put (const void *bytes, size_t length) {
  static ssize_t (*next) (int, const void *, size_t);
  if (!next) next = (ssize_t (*) (int, const void *, size_t))dlsym(RTLD_NEXT, "write");
  for (size_t done = 0; done < length;) {
    ssize_t n = next(to, (const char *)bytes + done, length - done);
    if (n <= 0) abort();
    done += (size_t)n;
  }
}

static uint32_t note (uint32_t kind, uint32_t id, int file, int32_t result, uint64_t offset, const struct iovec *parts, int count) {
  struct note head = { kind, id, (uint32_t)file, result, offset, 0 };
  for (int i = 0; i < count; i++) head.length += parts[i].iov_len;
  pthread_mutex_lock(&lock);
  if (kind == 2 || kind == 3) head.id = ++ids;
  put(&head, sizeof head);
  for (int i = 0; i < count; i++) put(parts[i].iov_base, parts[i].iov_len);
  pthread_mutex_unlock(&lock);
  return head.id;
}

static int file_of (int fd) { return fd >= 0 && fd < FILES ? followed[fd] : 0; }

static int opened (int fd, int flags, int made) {
  int saved = errno;
  const char *directory = getenv("RECORD_DIR"), *target = getenv("RECORD_TO");
  char link[64], path[4096];
  if (fd >= 0 && fd < FILES && directory && target) {
    followed[fd] = 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof path - 1);
    if (n > 0 && (path[n] = 0, strncmp(path, directory, strlen(directory)) == 0) && !strstr(path, "lock.mdb") && !strstr(path, "-lock")) {
      pthread_mutex_lock(&lock);
      if (to < 0) {
        int (*next) (const char *, int, ...) = (int (*) (const char *, int, ...))dlsym(RTLD_NEXT, "open");
        to = next(target, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
      }
      followed[fd] = (int)++files;
      pthread_mutex_unlock(&lock);
      struct iovec part = { path, (size_t)n };
      note(1, 0, followed[fd], (made ? 1 : 0) | ((flags & O_DSYNC) ? 2 : 0), 0, &part, 1);
    }
  }
  errno = saved;
  return fd;
}

#define OPEN(name) int name (const char *path, int flags, ...) { \
  NEXT(name); va_list rest; va_start(rest, flags); mode_t mode = (flags & O_CREAT) ? va_arg(rest, mode_t) : 0; va_end(rest); \
  int made = (flags & O_CREAT) && access(path, F_OK) != 0; return opened(next(path, flags, mode), flags, made); }
OPEN(open)
OPEN(open64)
#define OPENAT(name) int name (int at, const char *path, int flags, ...) { \
  NEXT(name); va_list rest; va_start(rest, flags); mode_t mode = (flags & O_CREAT) ? va_arg(rest, mode_t) : 0; va_end(rest); \
  int made = (flags & O_CREAT) && faccessat(at, path, F_OK, 0) != 0; return opened(next(at, path, flags, mode), flags, made); }
OPENAT(openat)
OPENAT(openat64)

int close (int fd) { NEXT(close); if (fd >= 0 && fd < FILES) followed[fd] = 0; return next(fd); }

#define AROUND(kind, offset, parts, count, call) \
  int file = file_of(fd); if (!file) return call; \
  uint32_t id = note(kind, 0, file, 0, (uint64_t)(offset), parts, count); \
  __typeof__(call) result = call; int saved = errno; note(5, id, file, (int32_t)result, 0, 0, 0); errno = saved; return result;

ssize_t pwrite (int fd, const void *bytes, size_t n, off_t at) { NEXT(pwrite); struct iovec p = { (void *)bytes, n }; AROUND(2, at, &p, 1, next(fd, bytes, n, at)) }
ssize_t pwrite64 (int fd, const void *bytes, size_t n, off64_t at) { NEXT(pwrite64); struct iovec p = { (void *)bytes, n }; AROUND(2, at, &p, 1, next(fd, bytes, n, at)) }
ssize_t pwritev (int fd, const struct iovec *p, int count, off_t at) { NEXT(pwritev); AROUND(2, at, p, count, next(fd, p, count, at)) }
ssize_t pwritev64 (int fd, const struct iovec *p, int count, off64_t at) { NEXT(pwritev64); AROUND(2, at, p, count, next(fd, p, count, at)) }
ssize_t write (int fd, const void *bytes, size_t n) { NEXT(write); struct iovec p = { (void *)bytes, n }; AROUND(2, lseek(fd, 0, SEEK_CUR), &p, 1, next(fd, bytes, n)) }
ssize_t writev (int fd, const struct iovec *p, int count) { NEXT(writev); AROUND(2, lseek(fd, 0, SEEK_CUR), p, count, next(fd, p, count)) }
int fdatasync (int fd) { NEXT(fdatasync); AROUND(3, 0, 0, 0, next(fd)) }
int fsync (int fd) { NEXT(fsync); AROUND(3, 0, 0, 0, next(fd)) }
int ftruncate (int fd, off_t size) { NEXT(ftruncate); int file = file_of(fd); if (file) note(4, 0, file, 0, (uint64_t)size, 0, 0); return next(fd, size); }
int ftruncate64 (int fd, off64_t size) { NEXT(ftruncate64); int file = file_of(fd); if (file) note(4, 0, file, 0, (uint64_t)size, 0, 0); return next(fd, size); }

/* Ways to change a file that are not noted: whoever takes one of them has to teach the recorder first. */
static void refuse (const char *path, const char *what) {
  const char *directory = getenv("RECORD_DIR");
  if (directory && path && strncmp(path, directory, strlen(directory)) == 0) { fprintf(stderr, "the recorder does not know %s\n", what); abort(); }
}
int link (const char *from, const char *name) { NEXT(link); refuse(from, "link"); return next(from, name); }

static int below (const char *path) { const char *directory = getenv("RECORD_DIR"); return to >= 0 && directory && path && strncmp(path, directory, strlen(directory)) == 0 && !strstr(path, "-lock"); }
int rename (const char *from, const char *name) {
  NEXT(rename); int result = next(from, name), saved = errno;
  if (result == 0 && below(from)) { struct iovec parts[2] = { { (void *)from, strlen(from) + 1 }, { (void *)name, strlen(name) } }; note(6, 0, 0, 0, 0, parts, 2); }
  errno = saved; return result;
}
int unlink (const char *path) {
  NEXT(unlink); int result = next(path), saved = errno;
  if (result == 0 && below(path)) { struct iovec part = { (void *)path, strlen(path) }; note(7, 0, 0, 0, 0, &part, 1); }
  errno = saved; return result;
}
