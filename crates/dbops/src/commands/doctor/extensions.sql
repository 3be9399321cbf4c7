-- Which of these extensions are not there, and whether the server could create them.
SELECT wanted.name,
       EXISTS (SELECT FROM pg_catalog.pg_available_extensions a WHERE a.name = wanted.name) AS is_available
  FROM pg_catalog.unnest($1::text[]) AS wanted(name)
 WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_extension e WHERE e.extname = wanted.name)
 ORDER BY 2, 1
