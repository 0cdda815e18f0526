-- How many of the touched addresses are kept by an exemption from losing their verification.
select count(distinct address_key) from touched_address where is_exempt
