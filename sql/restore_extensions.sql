-- What can be installed: name and version, and whether it is the one that CREATE EXTENSION takes.
SELECT v.name, v.version, v.version = e.default_version AS standard
  FROM pg_catalog.pg_available_extension_versions AS v
  JOIN pg_catalog.pg_available_extensions AS e ON e.name = v.name
