{{ write_differences('int_sales_transactions', key='date_key') }}

with

sale_days as (

    select
        transaction_date,
        transaction_date = cast('{{ var("sales_unknown_date") }}' as date) as is_unknown,
        max(loaded_at) as loaded_at
    from {{ ref('int_sales_transactions') }}
    group by transaction_date

),

months as (

    select distinct
        {{ period_of('transaction_date', 'month') }} as month_start,
        {{ last_of_month('transaction_date') }} as month_end
    from sale_days
    where not is_unknown

),

-- Every day of a month with a sale: a day of a wrong year costs a month of rows, and not all years up to it.
calendar as (

    select
        month_start,
        calendar_date
    from {{ each_day('months', 'month_start', 'month_start', 'month_end', 'calendar_date') }}

)

select
    {{ sales_date_key('calendar.calendar_date') }} as date_key,
    calendar.calendar_date,
    calendar.month_start,
    {{ time_text('calendar.calendar_date', 'YYYY-MM') }} as month_name,
    cast(extract(year from calendar.calendar_date) as integer) as calendar_year,
    cast(extract(quarter from calendar.calendar_date) as integer) as quarter_of_year,
    cast(extract(month from calendar.calendar_date) as integer) as month_of_year,
    cast(extract(day from calendar.calendar_date) as integer) as day_of_month,
    false as is_unknown,
    sale_days.loaded_at
from calendar
left join sale_days on calendar.calendar_date = sale_days.transaction_date
union all
select
    0 as date_key,
    null as calendar_date,
    null as month_start,
    'Unknown' as month_name,
    null as calendar_year,
    null as quarter_of_year,
    null as month_of_year,
    null as day_of_month,
    true as is_unknown,
    max(loaded_at) as loaded_at
from sale_days
where is_unknown
