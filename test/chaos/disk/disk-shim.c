/*
 * Loaded before a broker (LD_PRELOAD), stands between it and the disk. What the file `mode` in $DISK_SHIM_FOLDER says holds for
 * every sync from then on:
 *   error      the disk fails: EIO, nothing is written
 *   delay N    each sync takes N milliseconds longer
 *   hang       no sync ends until the mode is another one
 *   full       the file system says that it has no room left
 * Every sync that the disk did is noted in the file `synced`, a line each: how long the file was when the sync began, and its
 * path. What lies beyond it is lost when the power is cut.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#define HANG_STEP_US 10000

static void read_mode(char *mode, size_t size) {
  char path[4096];
  mode[0] = 0;
  const char *folder = getenv("DISK_SHIM_FOLDER");
  if (folder == NULL) return;
  snprintf(path, sizeof path, "%s/mode", folder);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return;
  ssize_t length = read(fd, mode, size - 1);
  close(fd);
  mode[length > 0 ? length : 0] = 0;
}

static void note_synced(int fd, long long length) {
  char link[64], path[4096], line[8192];
  const char *folder = getenv("DISK_SHIM_FOLDER");
  if (folder == NULL) return;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t path_length = readlink(link, path, sizeof path - 1);
  if (path_length < 0) return;
  path[path_length] = 0;
  int line_length = snprintf(line, sizeof line, "%lld %s\n", length, path);
  snprintf(path, sizeof path, "%s/synced", folder);
  int notes = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  if (notes < 0) return;
  /* One write, so that lines of several threads do not mix. */
  if (write(notes, line, line_length) != line_length) abort();
  close(notes);
}

static int sync_file(int fd, int (*real)(int)) {
  char mode[64];
  struct stat facts;
  for (read_mode(mode, sizeof mode); strncmp(mode, "hang", 4) == 0; read_mode(mode, sizeof mode)) usleep(HANG_STEP_US);
  if (strncmp(mode, "error", 5) == 0) {
    errno = EIO;
    return -1;
  }
  if (strncmp(mode, "delay ", 6) == 0) usleep(1000 * atoi(mode + 6));
  long long length = fstat(fd, &facts) == 0 && S_ISREG(facts.st_mode) ? (long long)facts.st_size : -1;
  int result = real(fd);
  if (result == 0 && length >= 0) note_synced(fd, length);
  return result;
}

int fdatasync(int fd) {
  return sync_file(fd, (int (*)(int))dlsym(RTLD_NEXT, "fdatasync"));
}

int fsync(int fd) {
  return sync_file(fd, (int (*)(int))dlsym(RTLD_NEXT, "fsync"));
}

int statfs(const char *path, struct statfs *facts) {
  char mode[64];
  int (*real)(const char *, struct statfs *) = (int (*)(const char *, struct statfs *))dlsym(RTLD_NEXT, "statfs");
  int result = real(path, facts);
  read_mode(mode, sizeof mode);
  if (result == 0 && strncmp(mode, "full", 4) == 0) facts->f_bfree = facts->f_bavail = 0;
  return result;
}

int statfs64(const char *path, struct statfs64 *facts) {
  char mode[64];
  int (*real)(const char *, struct statfs64 *) =
      (int (*)(const char *, struct statfs64 *))dlsym(RTLD_NEXT, "statfs64");
  int result = real(path, facts);
  read_mode(mode, sizeof mode);
  if (result == 0 && strncmp(mode, "full", 4) == 0) facts->f_bfree = facts->f_bavail = 0;
  return result;
}
