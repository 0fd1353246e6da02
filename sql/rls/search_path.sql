-- Names are looked up as in a new session, because triggers and defaults rely on it.
SET LOCAL search_path TO DEFAULT
