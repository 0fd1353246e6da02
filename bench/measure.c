/* SPDX-License-Identifier: PostgreSQL */
/*
 * Runs a program and appends one line about it to a file, fields separated by tabs:
 *
 *     measure RESULTS LABEL LOG SERVER PROGRAM [ARGUMENT...]
 *
 * LABEL (any text, tabs included), wall time in µs, CPU time of the program and its children in µs, peak
 * memory of the largest of them in kB, CPU time of the server's processes that ended meanwhile in ms, exit
 * status. LOG gets the program's output; SERVER is the process that collects the server's processes (0:
 * none). measure itself exits with the program's status.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void __attribute__((noreturn)) die(const char *what, const char *name)
{
    fprintf(stderr, "measure: could not %s \"%s\": %s\n", what, name, strerror(errno));
    exit(126);
}

static int64_t clock_us(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000 + time.tv_nsec / 1000;
}

/* CPU time of the ended children of a process, in ms; 0 when it cannot be read. */
static int64_t ended_children_ms(const char *pid)
{
    char path[64], line[1024];
    unsigned long user = 0, kernel = 0;
    const char *after_name;
    FILE *file;

    snprintf(path, sizeof path, "/proc/%s/stat", pid);
    file = fopen(path, "re");
    if (!file)
        return 0;
    if (!fgets(line, sizeof line, file))
        line[0] = '\0';
    fclose(file);
    after_name = strrchr(line, ')');
    if (!after_name || sscanf(after_name, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %lu %lu",
                              &user, &kernel) != 2)
        return 0;
    return (int64_t)(user + kernel) * 1000 / sysconf(_SC_CLK_TCK);
}

static void __attribute__((noreturn)) become(char **argv, const char *log)
{
    int output = open(log, O_WRONLY | O_CREAT | O_TRUNC, 0644), input = open("/dev/null", O_RDONLY);

    if (output < 0)
        die("write", log);
    dup2(input, STDIN_FILENO);
    dup2(output, STDOUT_FILENO);
    dup2(output, STDERR_FILENO);
    close(input);
    close(output);
    execvp(argv[0], argv);
    die("run", argv[0]);
}

static int64_t microseconds(struct timeval time)
{
    return (int64_t)time.tv_sec * 1000000 + time.tv_usec;
}

int main(int argc, char **argv)
{
    const char *results, *label, *log, *server;
    int64_t started, wall, server_before;
    struct rusage usage;
    int status;
    FILE *file;
    pid_t pid;

    if (argc < 6) {
        fputs("usage: measure RESULTS LABEL LOG SERVER PROGRAM [ARGUMENT...]\n", stderr);
        return 2;
    }
    results = argv[1];
    label = argv[2];
    log = argv[3];
    server = argv[4];
    server_before = ended_children_ms(server);
    started = clock_us();
    pid = fork();
    if (pid == 0)
        become(argv + 5, log);
    if (pid < 0 || wait4(pid, &status, 0, &usage) != pid)
        die("run", argv[5]);
    wall = clock_us() - started;
    status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);

    usleep(20000); /* the server notices after the client */
    file = fopen(results, "ae");
    if (!file)
        die("write", results);
    fprintf(file, "%s\t%lld\t%lld\t%ld\t%lld\t%d\n", label, (long long)wall,
            (long long)(microseconds(usage.ru_utime) + microseconds(usage.ru_stime)), usage.ru_maxrss,
            (long long)(ended_children_ms(server) - server_before), status);
    if (fclose(file))
        die("write", results);
    return status;
}
