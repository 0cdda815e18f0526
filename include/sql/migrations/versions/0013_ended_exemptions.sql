-- Who ends an exemption says why, as who gives one does.
alter table lapsewatch.exemption
    add column ended_by   text check (ended_by ~ '\S'),
    add column ended_why  text check (ended_why ~ '\S'),
    add check ((ended_by is null) = (ended_why is null)),
    add check (ended_by is null or expires_at is not null);
comment on column lapsewatch.exemption.expires_at is 'Until when it holds; who ends an exemption sets it. Null: for good.';
comment on column lapsewatch.exemption.ended_by is 'Who ended it. Null: nobody did, or nobody has said so, as in SQL and before 0013.';
comment on column lapsewatch.exemption.ended_why is 'Why, in the words of who ended it.';
