/* SPDX-License-Identifier: PostgreSQL */
#include "common/place.h"

#include "common/text.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/un.h>

static void close_cleanup(int *descriptor)
{
    if (*descriptor >= 0)
        close(*descriptor);
}

void place_clear(struct place *place)
{
    free(place->folder);
    free(place->server);
    free(place->data);
    free(place->socket);
    *place = (struct place){0};
}

/* ---- finding what is there ---- */

/* Also for a folder that does not exist yet. */
static char *absolute(const char *folder)
{
    char *real = realpath(folder, NULL);
    if (real)
        return real;
    OWNED char *here = getcwd(NULL, 0);
    return file_join(here ? here : "/", folder);
}

static char *resolved(const char *folder, const char *name)
{
    OWNED char *path = file_join(folder, name);
    return realpath(path, NULL);
}

/* A socket's path is limited by the kernel, and a comma in it separates hosts for libpq. */
static bool socket_fits(const char *folder)
{
    struct sockaddr_un address;
    return strlen(folder) + sizeof "/.s.PGSQL.5432" <= sizeof address.sun_path && !strchr(folder, ',');
}

/* The cluster belongs to the owner of its files: root becomes him, others must be him. */
static bool take_owner(struct place *place, struct error *error)
{
    struct stat info;
    if (stat(place->server, &info) != 0)
        return error_set(error, ERROR_FAILED, "could not look at \"%s\": %s", place->server, strerror(errno));
    place->user = info.st_uid;
    place->group = info.st_gid;
    place->drop = geteuid() == 0;
    if (place->drop && info.st_uid == 0)
        return error_set(error, ERROR_FAILED, "\"%s\" belongs to root, as whom PostgreSQL refuses to run",
                         place->server);
    if (!place->drop && info.st_uid != geteuid()) {
        const struct passwd *owner = getpwuid(info.st_uid);
        error_set(error, ERROR_FAILED, "the cluster in \"%s\" belongs to another user, \"%s\"", place->folder,
                  owner ? owner->pw_name : "unknown");
        return error_hint(error, "Use it as that user or as root, or choose another folder with --folder.");
    }
    return true;
}

bool place_find(const char *folder, struct place *ret, struct error *error)
{
    AUTO(place_clear) struct place place = {.folder = absolute(folder)};
    OWNED char *lock = file_join(place.folder, "lock");
    enum file_kind kind;
    if (!file_look(lock, &kind, error))
        return false;
    if (kind == FILE_MISSING) { /* every start made one; a folder "server" without it is somebody else's */
        *ret = place;
        place = (struct place){0};
        return true;
    }
    place.server = resolved(place.folder, "server");
    if (place.server) {
        if (!take_owner(&place, error))
            return false;
        place.data = file_join(place.server, "data");
        place.socket = socket_fits(place.server) ? text_copy(place.server) : resolved(place.server, "socket");
    } else if (errno != ENOENT) {
        return error_set(error, ERROR_FAILED, "could not look into \"%s\": %s", place.folder,
                         strerror(errno));
    }
    *ret = place;
    place = (struct place){0};
    return true;
}

bool place_has_data(const struct place *place)
{
    OWNED char *version = place->data ? file_join(place->data, "PG_VERSION") : NULL;
    return version && file_exists(version);
}

int place_major(const struct place *place)
{
    AUTO(error_clear) struct error ignored = {0};
    OWNED char *path = place->data ? file_join(place->data, "PG_VERSION") : NULL;
    OWNED char *text = NULL;
    size_t size;
    return path && file_read(path, &text, &size, &ignored) ? (int)strtol(text, NULL, 10) : 0;
}

/* ---- making folders ---- */

static bool choose_user(struct place *place, struct error *error)
{
    place->drop = geteuid() == 0;
    place->user = geteuid();
    place->group = getegid();
    if (!place->drop)
        return true;
    const struct passwd *user = getpwnam("postgres");
    if (!user)
        user = getpwnam("nobody");
    if (!user || user->pw_uid == 0)
        return error_set(error, ERROR_FAILED,
                         "there is no user \"postgres\" or \"nobody\" to run PostgreSQL as");
    place->user = user->pw_uid;
    place->group = user->pw_gid;
    return true;
}

/* By the permissions of the folder and of all above it; for root, who chose another user. */
static bool user_reaches(const struct place *place, const char *folder)
{
    OWNED char *path = text_copy(folder);
    for (;;) {
        struct stat info;
        if (stat(path, &info) != 0)
            return false;
        mode_t needed = info.st_uid == place->user    ? S_IXUSR
                        : info.st_gid == place->group ? S_IXGRP
                                                      : S_IXOTH;
        if (!(info.st_mode & needed))
            return false;
        if (text_equal(path, "/"))
            return true;
        char *parent = file_folder(path);
        free(path);
        path = parent;
    }
}

/* Through a descriptor, so that nobody can put a link in the folder's place. */
static bool give_to_user(const struct place *place, const char *folder, struct error *error)
{
    if (!place->drop)
        return true;
    __attribute__((cleanup(close_cleanup))) int descriptor =
        open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (descriptor < 0 || fchown(descriptor, place->user, place->group) != 0)
        return error_set(error, ERROR_FAILED, "could not give \"%s\" to an unprivileged user: %s", folder,
                         strerror(errno));
    return true;
}

/* A folder with a name of its own under parent, and a link to it. */
static bool make_elsewhere(const struct place *place, const char *parent, const char *link, char **ret_path,
                           struct error *error)
{
    OWNED char *path = text_format("%s/pgmigrate-XXXXXX", parent);
    if (!mkdtemp(path))
        return error_set(error, ERROR_FAILED, "could not create a folder in \"%s\": %s", parent,
                         strerror(errno));
    if (unlink(link) != 0 && errno != ENOENT)
        error_set(error, ERROR_FAILED, "could not remove \"%s\": %s", link, strerror(errno));
    else if (symlink(path, link) != 0)
        error_set(error, ERROR_FAILED, "could not create \"%s\": %s", link, strerror(errno));
    else if (give_to_user(place, path, error)) {
        *ret_path = take(path);
        return true;
    }
    rmdir(path);
    return false;
}

static bool make_server_folder(struct place *place, struct error *error)
{
    OWNED char *path = file_join(place->folder, "server");
    if (!choose_user(place, error))
        return false;
    if (place->drop && !user_reaches(place, place->folder))
        return make_elsewhere(place, "/var/tmp", path, &place->server, error);
    unlink(path); /* a link whose target is gone */
    if (mkdir(path, 0700) != 0)
        return error_set(error, ERROR_FAILED, "could not create \"%s\": %s", path, strerror(errno));
    if (!give_to_user(place, path, error))
        return false;
    place->server = take(path);
    return true;
}

static bool make_socket_folder(struct place *place, struct error *error)
{
    OWNED char *link = file_join(place->server, "socket");
    if (place->socket)
        return true;
    if (!socket_fits(place->server))
        return make_elsewhere(place, "/tmp", link, &place->socket, error);
    place->socket = text_copy(place->server);
    return true;
}

bool place_make(struct place *place, struct error *error)
{
    if (!place->server && !make_server_folder(place, error))
        return false;
    if (!place->data)
        place->data = file_join(place->server, "data");
    return make_socket_folder(place, error);
}

bool place_prepare(const char *folder, struct error *error)
{
    bool made = !file_is_folder(folder);
    OWNED char *path = absolute(folder);
    if (strchr(path, '\n'))
        return error_set(
            error, ERROR_USAGE,
            "a cluster's folder cannot have a line end in its path, as PostgreSQL's files cannot");
    if (!file_make_folder(folder, 0755, error))
        return false;
    /* Whatever root's umask is: the unprivileged user has to pass, and everything inside is closed to others.
     */
    if (made && geteuid() == 0 && chmod(folder, 0755) != 0)
        return error_set(error, ERROR_FAILED, "could not open \"%s\": %s", folder, strerror(errno));
    return true;
}
