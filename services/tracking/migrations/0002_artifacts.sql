-- Every content that artifacts or manifests name. `touched_at` moves whenever something begins to name it; `condemned_at` is set by the collection just
-- before it removes the bytes, and a condemned content may not be named: whoever wants to must upload it again.
create table content (
  sha256 text collate "C" primary key,
  size_bytes bigint not null,
  touched_at timestamptz not null,
  condemned_at timestamptz
);
create index content_by_touch on content (touched_at);

-- What lies under a path at present. Overwriting a path names another content; it never changes one.
create table artifact (
  path text collate "C" primary key,
  sha256 text collate "C" not null references content,
  size_bytes bigint not null,
  written_at timestamptz not null
);
create index artifact_by_content on artifact (sha256);

-- Sealed lists of files. The row and its files stay for as long as somebody holds a pin on it.
create table manifest (
  sha256 text collate "C" primary key references content,
  size_bytes bigint not null,
  touched_at timestamptz not null
);

create table manifest_file (
  manifest_sha256 text collate "C" not null references manifest on delete cascade,
  path text collate "C" not null,
  sha256 text collate "C" not null references content,
  size_bytes bigint not null,
  primary key (manifest_sha256, path)
);
create index manifest_file_by_content on manifest_file (sha256);

create table pin (
  manifest_sha256 text collate "C" not null references manifest,
  holder text not null,
  pinned_at timestamptz not null,
  primary key (manifest_sha256, holder)
);
