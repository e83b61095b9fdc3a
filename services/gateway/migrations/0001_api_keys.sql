-- The key itself is never stored: only its digest. A revoked key keeps its row, so that its name in audit trails can be explained.
create table api_key (
  key_id text primary key,
  name text not null,
  role text not null check (role in ('viewer', 'user', 'editor', 'promoter', 'admin')),
  sha256 bytea not null,
  created_at timestamptz not null,
  created_by text not null,
  expires_at timestamptz,
  last_used_at timestamptz,
  revoked_at timestamptz
);
create unique index api_key_name on api_key (name) where revoked_at is null;
