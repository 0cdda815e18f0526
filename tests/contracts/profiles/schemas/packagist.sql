-- A subset: the tables of composer/packagist that tell of users, by the mapping in src/Entity/User.php of 2025 and the
-- migrations up to 2026-10. Doctrine keeps no dump: column types follow the mapping.
create table fos_user (
    id int auto_increment primary key,
    username varchar(191) not null,
    username_canonical varchar(191) not null,
    email varchar(191) not null,
    email_canonical varchar(191) not null,
    enabled tinyint(1) not null,
    frozen varchar(255) default null,
    frozenAt datetime default null,
    roles json not null,
    password varchar(255) not null,
    salt varchar(255) default null,
    last_login datetime default null,
    confirmation_token varchar(180) default null,
    password_requested_at datetime default null,
    createdAt datetime not null,
    apiToken varchar(40) not null default '',
    safeApiToken varchar(40) not null default '',
    githubId varchar(255) default null,
    githubToken varchar(255) default null,
    githubScope varchar(255) default null,
    failureNotifications tinyint(1) not null default 1,
    totpSecret varchar(255) default null,
    backupCode varchar(8) default null,
    sessionBuster smallint unsigned not null default 0,
    unique key UNIQ_957A647992FC23A8 (username_canonical),
    unique key UNIQ_957A6479A0D96FBF (email_canonical),
    unique key UNIQ_957A6479C05FB297 (confirmation_token),
    key user_frozen_idx (frozen, frozenAt),
    key user_github_id_idx (githubId)
) engine = InnoDB default charset = utf8mb4 collate = utf8mb4_unicode_ci;
create table maintainers_packages (
    package_id int not null,
    user_id int not null,
    primary key (package_id, user_id),
    key IDX_user (user_id)
) engine = InnoDB;
