-- An external stage, for files that go over your own bucket instead of Snowflake's: set GOLDWORKS_STAGING_URL to
-- s3://BUCKET/goldworks-staging and GOLDWORKS_SNOWFLAKE_STAGE to ops.staging. Run after snowflake.sql; safe to run again.
-- Put in your bucket and the role that trusts the integration: `describe integration goldworks_staging` says whom to trust.

use role accountadmin;

create storage integration if not exists goldworks_staging
    type = external_stage storage_provider = 's3' enabled = true
    storage_aws_role_arn = 'arn:aws:iam::000000000000:role/goldworks-snowflake'
    storage_allowed_locations = ('s3://BUCKET/goldworks-staging/');

create stage if not exists goldworks.ops.staging
    url = 's3://BUCKET/goldworks-staging/' storage_integration = goldworks_staging;
grant usage on stage goldworks.ops.staging to role goldworks_loader;
