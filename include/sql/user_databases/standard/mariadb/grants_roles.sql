-- The schema, and the two roles: the same for all systems. What comes of them is told below.

create database if not exists lapsewatch character set utf8mb4 collate utf8mb4_nopad_bin;
create role if not exists lapsewatch_reader;
create role if not exists lapsewatch_unverifier;
grant lapsewatch_reader to lapsewatch_unverifier;
