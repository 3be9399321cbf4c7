-- What the large objects come to. A page that is all zeros may be there or not, and its zeros at the end too: a restore
-- writes what a program wrote in pieces as one. Their owners and grants are no content.
SELECT
    pg_catalog.sum(
        pg_catalog.hash_record_extended(
            ROW(
                pg_catalog.int8send(
                    pg_catalog.hash_record_extended(ROW(loid, pageno, pg_catalog.rtrim(data, '\x00'::bytea)), 0)
                )
            ),
            0
        )
    )::text
FROM pg_catalog.pg_largeobject
WHERE pg_catalog.octet_length(pg_catalog.rtrim(data, '\x00'::bytea)) > 0;
