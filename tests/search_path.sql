-- For almost every function, aggregate and operator of PostgreSQL one in `public` with the same arguments, that fails
-- when it is called. What PostgreSQL does not let anybody make, such as functions of internal types, is passed over.
SET search_path = pg_catalog;

CREATE PROCEDURE public.make(statement text) LANGUAGE plpgsql SET search_path = pg_catalog AS $make$
BEGIN
    EXECUTE statement;
EXCEPTION WHEN OTHERS THEN
    NULL;
END
$make$;

DO $traps$
DECLARE
    body text := 'LANGUAGE plpgsql AS ''BEGIN RAISE EXCEPTION ''''trapped''''; END''';
    made record;
BEGIN
    FOR made IN
        SELECT proname AS name, prokind AS kind, proretset AS is_set, format_type(prorettype, NULL) AS result, (
            SELECT string_agg(
                CASE WHEN provariadic <> 0 AND place = pronargs THEN 'VARIADIC ' ELSE '' END || format_type(type, NULL),
                ', ' ORDER BY place
            )
            FROM unnest(proargtypes) WITH ORDINALITY AS argument (type, place)
        ) AS arguments
        FROM pg_proc
        WHERE pronamespace = 'pg_catalog'::regnamespace AND prokind IN ('f', 'a')
    LOOP
        IF made.kind = 'f' THEN
            CALL public.make(format('CREATE FUNCTION public.%I(%s) RETURNS %s %s %s', made.name, made.arguments,
                CASE WHEN made.is_set THEN 'SETOF' ELSE '' END, made.result, body));
        ELSE
            CALL public.make(format('CREATE FUNCTION public.trap_of_aggregate(%s) RETURNS text %s',
                concat_ws(', ', 'text', made.arguments), body));
            CALL public.make(format('CREATE AGGREGATE public.%I(%s) (SFUNC = public.trap_of_aggregate, STYPE = text)',
                made.name, coalesce(made.arguments, '*')));
        END IF;
    END LOOP;
    FOR made IN
        SELECT oprname AS name, format_type(nullif(oprleft, 0), NULL) AS before, format_type(oprright, NULL) AS behind,
            format_type(oprresult, NULL) AS result
        FROM pg_operator
        WHERE oprnamespace = 'pg_catalog'::regnamespace
    LOOP
        CALL public.make(format('CREATE FUNCTION public.trap_of_operator(%s) RETURNS %s %s',
            concat_ws(', ', made.before, made.behind), made.result, body));
        CALL public.make(format('CREATE OPERATOR public.%s (%s, FUNCTION = public.trap_of_operator)', made.name,
            concat_ws(', ', 'LEFTARG = ' || made.before, 'RIGHTARG = ' || made.behind)));
    END LOOP;
END
$traps$;
