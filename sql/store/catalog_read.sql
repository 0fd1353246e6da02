-- Every record of the catalog: file, stamp, content.
SELECT file, stamp, content FROM record ORDER BY file
