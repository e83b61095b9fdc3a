-- Uploads that do not come as one request: in parts, or later, under an address that was handed out. `staged`: the bytes go straight to the store, under the
-- id as staging name; otherwise they come through this service, parts as contents of their own. `etag` is that of the staged bytes that were taken in last.
create table upload (
  upload_id text collate "C" primary key,
  path text collate "C" not null,
  kind text not null check (kind in ('parts', 'object')),
  staged boolean not null,
  store_upload_id text,
  part_count int not null,
  token_sha256 text not null,
  state text not null default 'open' check (state in ('open', 'assembled', 'done')),
  etag text,
  touched_at timestamptz not null,
  expires_at timestamptz not null
);
create index upload_by_touch on upload (touched_at);
create index upload_awaited on upload (path) where kind = 'object' and staged and state = 'open';

create table upload_part (
  upload_id text collate "C" not null references upload on delete cascade,
  part_number int not null,
  sha256 text collate "C" not null references content,
  size_bytes bigint not null,
  primary key (upload_id, part_number)
);
create index upload_part_by_content on upload_part (sha256);
