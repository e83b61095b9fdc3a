-- People who sign in with a name and a password. The password itself is never stored.
create table account (
  user_id bigint generated always as identity primary key,
  user_name text collate "C" not null constraint account_name unique,
  password_hash text not null,
  role text not null check (role in ('viewer', 'user', 'editor', 'promoter', 'admin')),
  created_at timestamptz not null,
  updated_at timestamptz not null
);

-- What a user or a group may do to which experiments and models, beside what the role says.
create table access_grant (
  grant_id bigint generated always as identity primary key,
  principal_kind text not null check (principal_kind in ('user', 'group')),
  -- a name; '*' stands for everybody
  principal text collate "C" not null,
  resource text not null check (resource in ('experiment', 'model')),
  matched_by text not null check (matched_by in ('id', 'name', 'pattern')),
  value text collate "C" not null,
  level text not null check (level in ('NO_PERMISSIONS', 'READ', 'USE', 'EDIT', 'MANAGE', 'INHERIT', 'DISOWNED')),
  promote boolean not null default false,
  created_at timestamptz not null,
  created_by text not null,
  constraint access_grant_once unique (principal_kind, principal, resource, matched_by, value)
);

-- Groups that are kept here; those of an OIDC token come with the token.
create table access_group_member (
  group_name text collate "C" not null,
  user_name text collate "C" not null,
  primary key (group_name, user_name)
);
