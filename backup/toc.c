/* SPDX-License-Identifier: PostgreSQL */
#include "backup/toc.h"

/* ---- reading ---- */

static void entry_clear(struct toc_entry *entry)
{
    free(entry->line);
    free(entry->needs);
    *entry = (struct toc_entry){0};
}

void toc_clear(struct toc *toc)
{
    for (size_t i = 0; i < toc->count; i++)
        entry_clear(&toc->items[i]);
    free(toc->items);
    *toc = (struct toc){0};
}

/* A number and what follows it; NULL when there is none. */
static const char *skip_number(const char *text, long *ret)
{
    char *end;

    *ret = strtol(text, &end, 10);
    return end == text || *ret < 0 ? NULL : end;
}

/* "216; 1259 16394 TABLE public users shop" */
static bool read_entry(const char *line, size_t length, struct toc *toc)
{
    struct toc_entry entry = {.line = text_copy_part(line, length)};
    long ignored;
    const char *at = skip_number(entry.line, &entry.id);

    if (at && text_starts_with(at, "; "))
        at = skip_number(at + 2, &ignored);
    else
        at = NULL;
    if (at && *at == ' ')
        at = skip_number(at + 1, &ignored);
    if (!at || *at != ' ' || !at[1]) {
        entry_clear(&entry);
        return false;
    }
    entry.text = at + 1;
    toc->items = memory_grow(toc->items, toc->count, sizeof *toc->items);
    toc->items[toc->count++] = entry;
    return true;
}

/* ";\tdepends on: 216 849", of the entry before it. */
static void read_needs(const char *at, const char *end, struct toc_entry *entry)
{
    while (at < end) {
        long id;
        const char *next = skip_number(at, &id);

        if (!next || next > end)
            return;
        entry->needs = memory_grow(entry->needs, entry->need_count, sizeof *entry->needs);
        entry->needs[entry->need_count++] = id;
        at = next;
    }
}

bool toc_read(const char *listing, struct toc *ret, struct error *error)
{
    static const char depends[] = ";\tdepends on:";
    AUTO(toc_clear) struct toc toc = {0};

    for (const char *line = listing, *end; *line; line = *end ? end + 1 : end) {
        size_t length = strcspn(line, "\n");

        end = line + length;
        if (toc.count && text_starts_with(line, depends))
            read_needs(line + strlen(depends), end, &toc.items[toc.count - 1]);
        else if (*line != ';' && length && !read_entry(line, length, &toc))
            return error_set(error, ERROR_BACKUP, "could not read the table of contents: \"%.*s\"",
                             (int)(length > 200 ? 200 : length), line);
    }
    if (!toc.count)
        return error_set(error, ERROR_BACKUP, "the table of contents is empty");
    *ret = toc;
    toc = (struct toc){0};
    return true;
}

/* ---- what is what ---- */

enum toc_part toc_part(const struct toc_entry *entry)
{
    static const char *const privileges[] = {"ACL ", "DEFAULT ACL "};
    static const char *const late[] = {"MATERIALIZED VIEW DATA ", "EVENT TRIGGER ",
                                       "COMMENT - EVENT TRIGGER ", "SECURITY LABEL - EVENT TRIGGER "};

    for (size_t i = 0; i < sizeof privileges / sizeof *privileges; i++)
        if (text_starts_with(entry->text, privileges[i]))
            return TOC_PRIVILEGES;
    for (size_t i = 0; i < sizeof late / sizeof *late; i++)
        if (text_starts_with(entry->text, late[i]))
            return TOC_LATE;
    return TOC_OBJECTS;
}

bool toc_makes_index(const struct toc_entry *entry)
{
    return text_starts_with(entry->text, "INDEX ") || text_starts_with(entry->text, "CONSTRAINT ");
}

char *toc_key(const char *kind, const char *schema, const char *name)
{
    char *key = text_format("%s %s %s", kind, schema ? schema : "-", name);

    for (char *c = key; *c; c++)
        if (*c == '\n' || *c == '\r')
            *c = ' ';
    return key;
}

/* What follows the name is the owner, if there is one. */
static bool may_be_owner(const struct toc *toc, const char *text)
{
    return !strchr(text, ' ') || (toc->roles && text_list_contains(toc->roles, text));
}

bool toc_is(const struct toc *toc, const struct toc_entry *entry, const char *key)
{
    size_t length = strlen(key);

    return strncmp(entry->text, key, length) == 0 &&
           (!entry->text[length] ||
            (entry->text[length] == ' ' && may_be_owner(toc, entry->text + length + 1)));
}

const struct toc_entry *toc_find(const struct toc *toc, const char *key)
{
    for (size_t i = 0; i < toc->count; i++)
        if (toc_is(toc, &toc->items[i], key))
            return &toc->items[i];
    return NULL;
}

/* ---- owners ---- */

/* Of "public items app", a blank before the owner: how much of it is not the owner's name. */
static size_t length_without_owner(const struct toc *toc, const char *text)
{
    const char *blank = strrchr(text, ' ');
    size_t length = strlen(text);

    for (size_t i = 0; toc->roles && i < toc->roles->count; i++) {
        OWNED char *owner = text_format(" %s", toc->roles->items[i]);

        if (strchr(toc->roles->items[i], ' ') && text_ends_with(text, owner))
            return length - strlen(owner);
    }
    return blank ? (size_t)(blank - text) : length;
}

/* Privileges say nothing of who makes a thing, and those of "public" name an owner that does not. */
void toc_owners(const struct toc *toc, const bool *chosen, bool defaults, bool with_public,
                struct text_list *ret)
{
    for (size_t i = 0; i < toc->count; i++) {
        const char *text = toc->items[i].text, *owner = text + length_without_owner(toc, text);
        bool is_default = text_starts_with(text, "DEFAULT ACL ");

        owner += *owner == ' ';
        if ((chosen && !chosen[i]) || is_default != defaults || text_starts_with(text, "ACL ") ||
            (!with_public && text_starts_with(text, "SCHEMA - public ")) || *owner == '\0' ||
            text_list_contains(ret, owner))
            continue;
        text_list_add(ret, text_copy(owner));
    }
}

/* ---- some tables only ---- */

/* What something else needs is chosen, too, but brings nothing of its own with it. */
enum wish { UNWANTED, NEEDED, WANTED };

struct place {
    long id;
    size_t index;
};
struct choice {
    const struct toc *toc;
    enum wish *wishes;    /* of each entry */
    struct place *places; /* by id */
};

static int compare_places(const void *a, const void *b)
{
    long left = ((const struct place *)a)->id, right = ((const struct place *)b)->id;

    return (left > right) - (left < right);
}

static struct place *places_of(const struct toc *toc)
{
    struct place *places = memory_allocate(toc->count, sizeof *places);

    for (size_t i = 0; i < toc->count; i++)
        places[i] = (struct place){.id = toc->items[i].id, .index = i};
    qsort(places, toc->count, sizeof *places, compare_places);
    return places;
}

/* The wish of the entry with that id; NULL when there is no such entry. */
static enum wish *wish_of(const struct choice *choice, long id)
{
    struct place wanted = {.id = id}, *found;

    found = bsearch(&wanted, choice->places, choice->toc->count, sizeof wanted, compare_places);
    return found ? &choice->wishes[found->index] : NULL;
}

/* An entry and everything it needs. Without recursion: a list of what is still to be looked at. */
static void choose(struct choice *choice, size_t index)
{
    OWNED size_t *waiting = NULL;
    size_t count = 0;

    waiting = memory_grow(waiting, count, sizeof *waiting);
    waiting[count++] = index;
    choice->wishes[index] = WANTED;
    while (count) {
        const struct toc_entry *entry = &choice->toc->items[waiting[--count]];

        for (size_t i = 0; i < entry->need_count; i++) {
            enum wish *wish = wish_of(choice, entry->needs[i]);

            if (!wish || *wish != UNWANTED)
                continue;
            *wish = NEEDED;
            waiting = memory_grow(waiting, count, sizeof *waiting);
            waiting[count++] = (size_t)(wish - choice->wishes);
        }
    }
}

static bool begins_with_one_of(const char *text, const char *const words[])
{
    for (; *words; words++)
        if (text_starts_with(text, *words))
            return true;
    return false;
}

/* Whether an entry hangs on something wanted, and all else that it needs is chosen. */
static bool hangs_on_all(const struct choice *choice, const struct toc_entry *entry)
{
    bool wanted = false;

    for (size_t i = 0; i < entry->need_count; i++) {
        const enum wish *wish = wish_of(choice, entry->needs[i]);

        if (wish && *wish == UNWANTED)
            return false;
        wanted = wanted || (wish && *wish == WANTED);
    }
    return wanted;
}

/* Whether it is part of a wanted table: a default may need a wanted sequence, too. */
static bool hangs_on_table(const struct choice *choice, const struct toc_entry *entry)
{
    for (size_t i = 0; i < entry->need_count; i++) {
        const enum wish *wish = wish_of(choice, entry->needs[i]);

        if (wish && *wish == WANTED &&
            text_starts_with(choice->toc->items[wish - choice->wishes].text, "TABLE "))
            return true;
    }
    return false;
}

static const char attach[] = "TABLE ATTACH ";

/* A wanted table wants its partitions; a partition does not want its siblings. */
static bool choose_partition(struct choice *choice, const struct toc_entry *entry)
{
    OWNED char *child = text_format("TABLE %s", entry->text + strlen(attach));
    bool wanted = false, found = false;

    for (size_t i = 0; i < entry->need_count; i++) {
        enum wish *wish = wish_of(choice, entry->needs[i]);

        wanted = wanted || (wish && *wish == WANTED &&
                            !text_equal(choice->toc->items[wish - choice->wishes].text, child));
    }
    for (size_t i = 0; wanted && i < choice->toc->count; i++)
        if (choice->wishes[i] != WANTED && text_equal(choice->toc->items[i].text, child)) {
            choose(choice, i);
            found = true;
        }
    return found;
}

/* One round; true when something was chosen, so that something else may hang on it now. */
static bool choose_dependents(struct choice *choice)
{
    /* These bring with them what they need. */
    static const char *const parts[] = {"DEFAULT ", "CONSTRAINT ", "CHECK CONSTRAINT ",
                                        "INDEX ",   "STATISTICS ", NULL};
    /* These are wanted only where the rest of what they need is there. */
    static const char *const others[] = {
        "FK CONSTRAINT ", "TRIGGER ",        "POLICY ", "RULE ",     "ROW SECURITY ",
        "COMMENT ",       "SECURITY LABEL ", "ACL ",    "SEQUENCE ", "SEQUENCE OWNED BY ",
        "TABLE ATTACH ",  "INDEX ATTACH ",   NULL};
    bool found = false;

    for (size_t i = 0; i < choice->toc->count; i++) {
        const struct toc_entry *entry = &choice->toc->items[i];
        bool part = begins_with_one_of(entry->text, parts) && hangs_on_table(choice, entry);
        bool other = begins_with_one_of(entry->text, others) && hangs_on_all(choice, entry);

        if (text_starts_with(entry->text, attach) && choose_partition(choice, entry))
            found = true;
        if (choice->wishes[i] == WANTED || !(part || other))
            continue;
        choose(choice, i);
        found = true;
    }
    return found;
}

void toc_choose_tables(const struct toc *toc, const struct text_list *keys, bool *chosen, bool *wanted)
{
    OWNED enum wish *wishes = memory_allocate(toc->count, sizeof *wishes);
    OWNED struct place *places = places_of(toc);
    struct choice choice = {.toc = toc, .wishes = wishes, .places = places};

    for (size_t i = 0; i < toc->count; i++)
        for (size_t j = 0; j < keys->count; j++)
            if (toc_is(toc, &toc->items[i], keys->items[j]))
                choose(&choice, i);
    while (choose_dependents(&choice))
        continue;
    for (size_t i = 0; i < toc->count; i++) {
        chosen[i] = wishes[i] != UNWANTED;
        wanted[i] = wishes[i] == WANTED;
    }
}

/* ---- what is left out ---- */

/* How long the schema's name is in "my schema items": that of the longest schema of the listing that fits,
 * else a word. */
static size_t length_of_schema(const struct toc *toc, const char *text)
{
    static const char schema[] = "SCHEMA - ";
    size_t length = 0;

    for (size_t i = 0; i < toc->count; i++) {
        const char *name = toc->items[i].text + strlen(schema);

        if (!text_starts_with(toc->items[i].text, schema))
            continue;
        size_t size = length_without_owner(toc, name);
        if (size > length && strncmp(text, name, size) == 0 && text[size] == ' ')
            length = size;
    }
    return length ? length : strcspn(text, " ");
}

/* "public items" as "public.items" */
static char *shown_name(const struct toc *toc, const char *text, size_t length)
{
    char *name = text_copy_part(text, length);
    size_t schema = length_of_schema(toc, name);

    if (name[schema])
        name[schema] = '.';
    return name;
}

/* Where the name of what belongs to a table begins, in "public items items_oid_fkey app"; NULL where it
 * belongs to another table. */
static const char *name_of_part(const struct toc *toc, const char *text, const struct toc_entry *table)
{
    for (const char *blank = strchr(text, ' '); blank; blank = strchr(blank + 1, ' ')) {
        OWNED char *key = text_format("TABLE %.*s", (int)(blank - text), text);

        if (toc_is(toc, table, key))
            return blank + 1;
    }
    return NULL;
}

/* table "public.orders", function "public.f()", and of other kinds what the listing says. */
static char *described(const struct toc *toc, const struct toc_entry *entry)
{
    static const struct {
        const char *kind, *word;
    } words[] = {{"TABLE ", "table"}, {"FUNCTION ", "function"}};

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (text_starts_with(entry->text, words[i].kind)) {
            const char *text = entry->text + strlen(words[i].kind);
            OWNED char *name = shown_name(toc, text, length_without_owner(toc, text));
            return text_format("%s \"%s\"", words[i].word, name);
        }
    return text_format("\"%.*s\"", (int)length_without_owner(toc, entry->text), entry->text);
}

/* What a foreign key lacks is a table and that table's primary key: the table says more. */
static void add_left_out(const struct choice *choice, const struct toc_entry *entry, const char *word,
                         const char *text, struct text_list *ret)
{
    const struct toc *toc = choice->toc;
    const struct toc_entry *lacking = NULL;
    const char *name = NULL;

    for (size_t i = 0; i < entry->need_count; i++) {
        const enum wish *wish = wish_of(choice, entry->needs[i]);
        const struct toc_entry *need = wish ? &toc->items[wish - choice->wishes] : NULL;

        if (need && *wish == WANTED && !name)
            name = name_of_part(toc, text, need);
        if (need && *wish == UNWANTED && (!lacking || text_starts_with(need->text, "TABLE ")))
            lacking = need;
    }
    if (!name || !lacking)
        return;
    OWNED char *table = shown_name(toc, text, (size_t)(name - text) - 1);
    OWNED char *why = described(toc, lacking);
    text_list_add(ret, text_format("%s \"%.*s\" of table \"%s\" was left out: %s, which it needs, is not "
                                   "restored.",
                                   word, (int)length_without_owner(toc, name), name, table, why));
}

void toc_left_out(const struct toc *toc, const bool *chosen, const bool *wanted, struct text_list *ret)
{
    static const struct {
        const char *kind, *word;
    } words[] = {
        {"FK CONSTRAINT ", "Foreign key"}, {"TRIGGER ", "Trigger"}, {"POLICY ", "Policy"}, {"RULE ", "Rule"}};
    OWNED enum wish *wishes = memory_allocate(toc->count, sizeof *wishes);
    OWNED struct place *places = places_of(toc);
    struct choice choice = {.toc = toc, .wishes = wishes, .places = places};

    for (size_t i = 0; i < toc->count; i++)
        if (chosen[i])
            wishes[i] = wanted[i] ? WANTED : NEEDED;
    for (size_t i = 0; i < toc->count; i++)
        for (size_t j = 0; !chosen[i] && j < sizeof words / sizeof *words; j++)
            if (text_starts_with(toc->items[i].text, words[j].kind))
                add_left_out(&choice, &toc->items[i], words[j].word,
                             toc->items[i].text + strlen(words[j].kind), ret);
}

/* ---- lists ---- */

static bool is_done(const struct toc *toc, const struct toc_entry *entry, const struct text_list *done)
{
    for (size_t i = 0; done && i < done->count; i++)
        if (toc_is(toc, entry, done->items[i]))
            return true;
    return false;
}

char *toc_list(const struct toc *toc, enum toc_part part, const bool *chosen, const struct text_list *done)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    for (size_t i = 0; i < toc->count; i++)
        if (toc_part(&toc->items[i]) == part && (!chosen || chosen[i]) && !is_done(toc, &toc->items[i], done))
            fprintf(out, "%s\n", toc->items[i].line);
    fclose(out);
    return text;
}
