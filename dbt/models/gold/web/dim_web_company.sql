{{ config(contract={'enforced': true}) }}

with

companies as (

    select * from {{ ref('mart_web_active_companies') }}

)

select
    company,
    company in ({{ quoted_list(var('web_free_mail')) }}) as is_free_mail,
    first_event_date,
    last_event_date
from companies
