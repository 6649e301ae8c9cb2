{# The datasets of the contracts, or of one domain's, one row each: domain, dataset, and after how many hours without a
   load it is late and too late. As the manifest knows them, so as they were when it was made. #}
{% macro promised_datasets(domain=none) -%}
    {%- set found = [] -%}
    {%- for source in (graph.sources.values() if execute else [])
            if source.source_name != 'ops' and not source.name.endswith('__history')
            and source.source_name == domain | default(source.source_name, true) -%}
        {%- do found.append(source) -%}
    {%- endfor -%}
    {%- for source in found | sort(attribute='name') %}
    {% if not loop.first %}union all
    {% endif -%}
    select
        cast('{{ source.source_name }}' as {{ type_of('text') }}) as domain,
        cast('{{ source.name }}' as {{ type_of('text') }}) as dataset,
        cast({{ (source.freshness.warn_after.count if source.freshness) or 'null' }} as integer) as late_after_hours,
        cast({{ (source.freshness.error_after.count if source.freshness) or 'null' }} as integer) as error_after_hours
    {%- else %}
    select
        cast(null as {{ type_of('text') }}) as domain,
        cast(null as {{ type_of('text') }}) as dataset,
        cast(null as integer) as late_after_hours,
        cast(null as integer) as error_after_hours
    where false
    {%- endfor %}
{%- endmacro %}

{# Of each of `datasets`: its newest committed load, when the newest delivery was committed, what the loads of the hour up
   to the newest brought together, and how many attempts have failed since, or ever if none came in. A source of small files has many loads a run. #}
{% macro newest_loads(datasets) -%}
    {{ adapter.dispatch('newest_loads')(datasets) }}
{%- endmacro %}

{% macro default__newest_loads(datasets) -%}
    select
        newest.dataset,
        newest.load_id,
        newest.delivered_at,
        newest.raw_after,
        newest.loads,
        {%- for name in loads_fates() %}
        newest.{{ name }},
        {%- endfor %}
        count(failed.dataset) as failed_since
    from (
        select
            datasets.dataset,
            max(loads.load_id) as load_id,
            max(loads.newest_at) as newest_at,
            max(case when {{ is_delivery('loads') }} then loads.ended_at end) as delivered_at,
            max(case when loads.nth = 1 then loads.raw_after end) as raw_after,
            {{ loads_together() }}
        from {{ datasets }} as datasets
        left join (
            select
                *,
                row_number() over (partition by dataset order by load_id desc) as nth,
                max(ended_at) over (partition by dataset) as newest_at
            from {{ source('ops', 'loads') }}
            where state = 'loaded' and load_id is not null
        ) as loads on datasets.dataset = loads.dataset
        group by datasets.dataset
    ) as newest
    left join {{ source('ops', 'loads') }} as failed
        on
            newest.dataset = failed.dataset
            and failed.state = 'failed'
            and (newest.newest_at is null or failed.ended_at > newest.newest_at)
    group by
        newest.dataset,
        newest.load_id,
        newest.delivered_at,
        newest.raw_after,
        {%- for name in loads_fates() %}
        newest.{{ name }},
        {%- endfor %}
        newest.loads
{%- endmacro %}

{# It has no LATERAL. #}
{% macro redshift__newest_loads(datasets) -%}
    {{ default__newest_loads(datasets) }}
{%- endmacro %}

{# By the index of each dataset's loads, 5,000 of them at most: a source with a file a second has thirty million a year. #}
{% macro postgres__newest_loads(datasets) -%}
    select
        datasets.dataset,
        newest.load_id,
        delivery.delivered_at,
        newest.raw_after,
        newest.loads,
        {%- for name in loads_fates() %}
        newest.{{ name }},
        {%- endfor %}
        failed.failed_since
    from {{ datasets }} as datasets
    cross join lateral (
        select
            max(loads.load_id) as load_id,
            max(loads.newest_at) as newest_at,
            max(case when loads.nth = 1 then loads.raw_after end) as raw_after,
            {{ loads_together() }}
        from (
            select
                recent.*,
                row_number() over (order by recent.load_id desc) as nth,
                max(recent.ended_at) over () as newest_at
            from (
                select *
                from {{ source('ops', 'loads') }}
                where dataset = datasets.dataset and state = 'loaded' and load_id is not null
                order by load_id desc
                limit 5000
            ) as recent
        ) as loads
    ) as newest
    cross join lateral (
        select max(delivered.ended_at) as delivered_at
        from (
            select ended_at
            from {{ source('ops', 'loads') }} as loads
            where dataset = datasets.dataset and state = 'loaded' and load_id is not null and {{ is_delivery('loads') }}
            order by load_id desc
            limit 1
        ) as delivered
    ) as delivery
    cross join lateral (
        select count(*) as failed_since
        from {{ source('ops', 'loads') }} as loads
        where
            loads.dataset = datasets.dataset
            and (loads.load_id > coalesce(newest.load_id, 0) or loads.load_id is null)
            and loads.state = 'failed'
            and loads.ended_at > coalesce(newest.newest_at, '-infinity')
    ) as failed
{%- endmacro %}

{# Whether a load brought what a source sent: what is withdrawn or read under another contract was there before, and makes
   nothing fresh that is late. As in the freshness of the sources (dbt/generate.py). #}
{% macro is_delivery(loads) -%}
    {{ loads }}.kind not in ('withdrawal', 'replay', 'rebuild')
{%- endmacro %}

{# What became of the rows that a load read: the first is the sum of the others. #}
{% macro loads_fates() -%}
    {{ return(['rows_read', 'inserted', 'updated', 'unchanged', 'superseded', 'repeated', 'quarantined']) }}
{%- endmacro %}

{# Sums over the loads that ended within an hour of the newest. #}
{% macro loads_together() -%}
    {%- set lately = "loads.ended_at > loads.newest_at - interval '1 hour'" -%}
    count(case when {{ lately }} then 1 end) as loads
    {%- for name in loads_fates() %},
    sum(case when {{ lately }} then loads.{{ name }} end) as {{ name }}
    {%- endfor %}
{%- endmacro %}
