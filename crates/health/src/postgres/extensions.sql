-- Extensions that are installed in this database, and those that the server offers.
SELECT coalesce(e.extname::text, a.name::text) AS name,
       e.extversion AS installed,
       a.default_version AS offered
FROM pg_extension e
FULL JOIN pg_available_extensions() a ON a.name = e.extname
