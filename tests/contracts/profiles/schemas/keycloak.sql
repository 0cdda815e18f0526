-- A subset: columns and indexes of Keycloak's tables (keycloak/keycloak) as its Liquibase changelogs make them on
-- PostgreSQL: UserEntity.java at 898fdedc and dumps of its schema.
create table user_entity (
    id varchar(36) primary key,
    email varchar(255),
    email_constraint varchar(255),
    email_verified boolean not null default false,
    enabled boolean not null default false,
    federation_link varchar(255),
    first_name varchar(255),
    last_name varchar(255),
    realm_id varchar(255),
    username varchar(255),
    created_timestamp bigint,
    service_account_client_link varchar(255),
    not_before integer not null default 0,
    constraint uk_dykn684sl8up1crfei6eckhd7 unique (realm_id, email_constraint),
    constraint uk_ru8tt6t700s9v50bu18ws5ha6 unique (realm_id, username)
);
create index idx_user_email on user_entity (email);
create index idx_user_service_account on user_entity (realm_id, service_account_client_link);
create table credential (
    id varchar(36) primary key,
    salt bytea,
    type varchar(255),
    user_id varchar(36) references user_entity (id),
    created_date bigint,
    user_label varchar(255),
    secret_data text,
    credential_data text,
    priority integer,
    version integer default 0
);
create index idx_user_credential on credential (user_id);
create table user_required_action (
    user_id varchar(36) not null references user_entity (id),
    required_action varchar(255) not null default ' ',
    primary key (required_action, user_id)
);
create table realm (
    id varchar(36) primary key,
    name varchar(255) unique,
    enabled boolean not null default false,
    verify_email boolean not null default false,
    reset_password_allowed boolean not null default false,
    login_with_email_allowed boolean not null default true
);
create table user_role_mapping (
    role_id varchar(255) not null,
    user_id varchar(36) not null references user_entity (id),
    primary key (role_id, user_id)
);
