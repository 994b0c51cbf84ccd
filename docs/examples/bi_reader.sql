-- A role for BI tools that reads the bi_ views and nothing else. Run it with psql as the hub's own user, after
-- `hub migrate`, as often as you like: psql -v password="$BI_READER_PASSWORD" -f bi_reader.sql
SELECT 'CREATE ROLE bi_reader LOGIN'
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'bi_reader') \gexec
ALTER ROLE bi_reader LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE CONNECTION LIMIT 20 PASSWORD :'password';
ALTER ROLE bi_reader SET default_transaction_read_only = on;
ALTER ROLE bi_reader SET statement_timeout = '15min';
GRANT USAGE ON SCHEMA public TO bi_reader;
SELECT format('GRANT SELECT ON %I TO bi_reader', viewname)
FROM pg_views WHERE schemaname = 'public' AND viewname LIKE 'bi\_%' \gexec
