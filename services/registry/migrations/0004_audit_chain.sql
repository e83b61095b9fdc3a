-- Every line of the audit trail is chained to the one before it by a hash, so that a line that was changed, removed, inserted or moved shows.
-- There is a chain per model name, and one (with the empty name) for what is of no model: changes of different models never wait for one another.
-- The empty chain also says when each of the others began, so that a whole one cannot vanish.

-- The end of each chain. Its row is locked from the first line that a transaction appends to the chain until that transaction ends.
create table audit_chain (
  chain text collate "C" primary key,
  length bigint not null check (length >= 0),
  hash text not null check (hash ~ '^[0-9a-f]{64}$')
);

alter table audit_entry
  add column chain text collate "C",
  add column seq bigint,
  add column previous_hash text,
  add column hash text;

-- What is hashed after the previous hash and a line feed: a JSON array of texts, which others can rebuild from an export.
create function audit_content(entry audit_entry) returns text language sql stable as $$
  select json_build_array(
    entry.chain, entry.seq::text, entry.id::text, to_char(entry.at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), entry.actor, entry.action,
    entry.model::text, entry.model_id::text, entry.version::text, entry.from_value, entry.to_value, entry.reason, entry.request_id, entry.details::text
  )::text
$$;

create function audit_hash(entry audit_entry) returns text language sql stable as $$
  select encode(sha256(convert_to(entry.previous_hash || E'\n' || audit_content(entry), 'UTF8')), 'hex')
$$;

create function link_audit_entry() returns trigger language plpgsql as $$
declare
  tail audit_chain;
  opened bigint := 0;
begin
  new.chain := new.model;
  select * into tail from audit_chain where chain = new.chain for update;
  if not found then
    insert into audit_chain (chain, length, hash) values (new.chain, 0, repeat('0', 64)) on conflict do nothing;
    get diagnostics opened = row_count;
    select * into strict tail from audit_chain where chain = new.chain for update;
  end if;
  if opened = 1 and new.chain <> '' then
    insert into audit_entry (at, actor, action, model, to_value, reason, request_id) values (new.at, new.actor, 'open-audit-chain', '', new.chain, '', new.request_id);
  end if;
  new.seq := tail.length + 1;
  new.previous_hash := tail.hash;
  new.hash := audit_hash(new);
  update audit_chain set length = new.seq, hash = new.hash where chain = new.chain;
  return new;
end
$$;
create trigger audit_entry_is_linked before insert on audit_entry for each row execute function link_audit_entry();

create function refuse_audit_chain_change() returns trigger language plpgsql as $$
begin
  if tg_op = 'UPDATE' then
    if new.chain = old.chain and new.length = old.length + 1 then return new; end if;
  end if;
  raise exception 'the audit trail is append-only: % of a chain is refused', lower(tg_op);
end
$$;
create trigger audit_chain_only_grows before update or delete on audit_chain for each row execute function refuse_audit_chain_change();
create trigger audit_chain_is_never_emptied before truncate on audit_chain for each statement execute function refuse_audit_chain_change();

-- The lines that are there already, in the order that they were written in.
alter table audit_entry disable trigger audit_entry_is_append_only;
do $$
declare
  entry audit_entry;
  tail audit_chain;
begin
  for entry in select * from audit_entry order by id loop
    insert into audit_chain (chain, length, hash) values (entry.model, 0, repeat('0', 64)) on conflict do nothing;
    select * into strict tail from audit_chain where chain = entry.model;
    entry.chain := entry.model;
    entry.seq := tail.length + 1;
    entry.previous_hash := tail.hash;
    entry.hash := audit_hash(entry);
    update audit_entry set chain = entry.chain, seq = entry.seq, previous_hash = entry.previous_hash, hash = entry.hash where id = entry.id;
    update audit_chain set length = entry.seq, hash = entry.hash where chain = entry.chain;
  end loop;
  for tail in select * from audit_chain where chain <> '' order by chain loop
    insert into audit_entry (at, actor, action, model, to_value, reason, request_id) values (now(), 'registry', 'open-audit-chain', '', tail.chain, '', '');
  end loop;
end
$$;
alter table audit_entry enable trigger audit_entry_is_append_only;

alter table audit_entry
  alter column chain set not null,
  alter column seq set not null,
  alter column previous_hash set not null,
  alter column hash set not null,
  add constraint audit_entry_place unique (chain, seq);
