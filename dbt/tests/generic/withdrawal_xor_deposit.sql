{# A movement takes money out or brings money in: exactly one of the two amounts is there and is not zero. #}
{% test withdrawal_xor_deposit(model, withdrawal, deposit) %}

select *
from {{ model }}
where (coalesce({{ withdrawal }}, 0) <> 0) = (coalesce({{ deposit }}, 0) <> 0)

{% endtest %}
