CREATE SCHEMA ops;
CREATE SCHEMA raw;
CREATE TABLE ops.builds (
    domain text NOT NULL,
    dataset text NOT NULL,
    load_id bigint NOT NULL,
    built_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE ops.conflicts (
    load_id bigint NOT NULL,
    dataset text NOT NULL,
    object_key text NOT NULL,
    line bigint NOT NULL,
    kept_line bigint NOT NULL,
    content jsonb NOT NULL
);
CREATE TABLE ops.datasets (
    dataset text NOT NULL,
    raw_rows bigint DEFAULT 0 NOT NULL
);
CREATE TABLE ops.dropped_views (
    dataset text NOT NULL,
    view_schema text NOT NULL,
    view_name text NOT NULL,
    owner text NOT NULL,
    definition text NOT NULL,
    reason text NOT NULL,
    dropped_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);
CREATE TABLE ops.drops (
    drop_id bigint NOT NULL,
    dataset text NOT NULL,
    sha256 bytea NOT NULL,
    size_bytes bigint NOT NULL,
    fingerprint text NOT NULL,
    load_id bigint NOT NULL,
    rank_period text NOT NULL COLLATE pg_catalog."C",
    rank_delivered_at timestamp with time zone NOT NULL,
    rank_object_key text NOT NULL COLLATE pg_catalog."C",
    ended_at timestamp with time zone
);
ALTER TABLE ops.drops ALTER COLUMN drop_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME ops.drops_drop_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE ops.faults (
    dataset text NOT NULL,
    step text NOT NULL,
    domain text NOT NULL,
    fault text NOT NULL,
    since timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT faults_step_check CHECK ((step = ANY (ARRAY['contract'::text, 'discover'::text, 'load'::text])))
);
CREATE TABLE ops.findings (
    finding_id bigint NOT NULL,
    load_id bigint NOT NULL,
    dataset text NOT NULL,
    object_key text NOT NULL,
    rule text NOT NULL,
    column_name text NOT NULL,
    shape text NOT NULL,
    rows bigint NOT NULL,
    rows_read bigint NOT NULL,
    message text NOT NULL,
    found_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    accepted_at timestamp with time zone,
    closed_at timestamp with time zone
);
ALTER TABLE ops.findings ALTER COLUMN finding_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME ops.findings_finding_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE ops.held (
    object_key text NOT NULL COLLATE pg_catalog."C",
    dataset text NOT NULL,
    decision text NOT NULL,
    etag text NOT NULL,
    size_bytes bigint NOT NULL,
    sha256 bytea NOT NULL,
    fingerprint text NOT NULL,
    load_id bigint NOT NULL,
    rows_held bigint NOT NULL,
    rows_withdrawn bigint NOT NULL,
    held_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    decided_at timestamp with time zone,
    CONSTRAINT held_decision_check CHECK ((decision = ANY (ARRAY['held'::text, 'accepted'::text, 'rejected'::text])))
);
CREATE TABLE ops.lake_drops (
    drop_id bigint NOT NULL,
    load_id bigint NOT NULL,
    sha256 bytea NOT NULL,
    object_key text NOT NULL,
    file_id bigint,
    records bigint
);
CREATE TABLE ops.lake_files (
    file_id bigint NOT NULL,
    dataset text NOT NULL,
    date date NOT NULL,
    path text NOT NULL,
    state text NOT NULL,
    first_load_id bigint NOT NULL,
    last_load_id bigint NOT NULL,
    drops bigint,
    records bigint,
    size_bytes bigint,
    replaced_by bigint,
    began_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    written_at timestamp with time zone,
    CONSTRAINT lake_files_state_check CHECK ((state = ANY (ARRAY['writing'::text, 'in_lake'::text, 'replaced'::text, 'deleted'::text])))
);
ALTER TABLE ops.lake_files ALTER COLUMN file_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME ops.lake_files_file_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE ops.lake_marks (
    dataset text NOT NULL,
    load_id bigint NOT NULL
);
CREATE SEQUENCE ops.load_ids
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
CREATE TABLE ops.loads (
    attempt_id bigint NOT NULL,
    load_id bigint,
    dataset text NOT NULL,
    object_key text NOT NULL,
    drop_id bigint,
    kind text NOT NULL,
    state text NOT NULL,
    started_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    ended_at timestamp with time zone,
    sha256 bytea,
    size_bytes bigint,
    fingerprint text,
    rows_read bigint,
    quarantined bigint,
    repeated bigint,
    superseded bigint,
    inserted bigint,
    updated bigint,
    unchanged bigint,
    restored bigint,
    withdrawn bigint,
    raw_before bigint,
    raw_after bigint,
    plan text,
    plan_reason text,
    seconds double precision,
    error text,
    CONSTRAINT loads_state_check CHECK ((state = ANY (ARRAY['started'::text, 'loaded'::text, 'failed'::text, 'held'::text, 'abandoned'::text]))),
    CONSTRAINT rows_add_up CHECK (((state <> 'loaded'::text) OR ((rows_read = (((((quarantined + repeated) + superseded) + inserted) + updated) + unchanged)) AND (raw_after = (((raw_before + inserted) + restored) - withdrawn)))))
);
ALTER TABLE ops.loads ALTER COLUMN attempt_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME ops.loads_attempt_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE ops.migrations (
    step integer NOT NULL,
    name text NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE ops.objects (
    object_key text NOT NULL COLLATE pg_catalog."C",
    dataset text,
    period text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    state text NOT NULL,
    etag text NOT NULL,
    size_bytes bigint NOT NULL,
    last_modified timestamp with time zone NOT NULL,
    delivered_at timestamp with time zone,
    drop_id bigint,
    first_seen_at timestamp with time zone DEFAULT now() NOT NULL,
    withdrawn_sha256 bytea,
    gone_at timestamp with time zone,
    CONSTRAINT objects_check CHECK (((state = 'in_force'::text) = (drop_id IS NOT NULL))),
    CONSTRAINT objects_check1 CHECK (((state = 'unresolved'::text) = (dataset IS NULL))),
    CONSTRAINT objects_state_check CHECK ((state = ANY (ARRAY['seen'::text, 'in_force'::text, 'withdrawn'::text, 'unresolved'::text])))
);
CREATE TABLE ops.profile_columns (
    profile_id bigint NOT NULL,
    "position" integer NOT NULL,
    column_name text NOT NULL,
    data_type text NOT NULL,
    classification text,
    is_masked boolean NOT NULL,
    nulls bigint NOT NULL,
    distinct_values bigint NOT NULL,
    minimum text,
    maximum text,
    top_values jsonb DEFAULT '[]'::jsonb NOT NULL,
    CONSTRAINT profile_columns_check CHECK (((NOT is_masked) OR ((minimum IS NULL) AND (maximum IS NULL) AND (top_values = '[]'::jsonb))))
);
CREATE TABLE ops.profiles (
    profile_id bigint NOT NULL,
    domain text NOT NULL,
    layer text NOT NULL,
    relation_schema text NOT NULL,
    relation_name text NOT NULL,
    mark text NOT NULL,
    rows bigint NOT NULL,
    sampled_rows bigint,
    seconds double precision NOT NULL,
    profiled_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);
ALTER TABLE ops.profiles ALTER COLUMN profile_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME ops.profiles_profile_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE ops.quarantine (
    quarantine_id bigint NOT NULL,
    load_id bigint NOT NULL,
    dataset text NOT NULL,
    object_key text NOT NULL,
    line bigint NOT NULL,
    column_name text,
    reason text NOT NULL,
    detail text NOT NULL,
    raw_text text NOT NULL,
    raw_bytes bytea,
    closed_by_load_id bigint,
    closed_at timestamp with time zone
);
ALTER TABLE ops.quarantine ALTER COLUMN quarantine_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME ops.quarantine_quarantine_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE VIEW ops.quarantine_reasons AS
 SELECT dataset,
    column_name,
    reason,
    count(*) AS open_rows,
    max(load_id) AS newest_load_id
   FROM ops.quarantine
  WHERE (closed_by_load_id IS NULL)
  GROUP BY dataset, column_name, reason;
CREATE TABLE raw.things (
    id bigint NOT NULL,
    amount numeric(12,2),
    note text NOT NULL,
    _drop_id bigint NOT NULL,
    _load_id bigint NOT NULL,
    _line bigint NOT NULL
);
CREATE TABLE raw.things__history (
    id bigint NOT NULL,
    amount numeric(12,2),
    note text,
    _drop_id bigint NOT NULL,
    _load_id bigint NOT NULL,
    _line bigint NOT NULL,
    _by_load_id bigint NOT NULL,
    _fate text NOT NULL,
    CONSTRAINT things__history__fate_check CHECK ((_fate = ANY (ARRAY['waiting'::text, 'replaced'::text, 'withdrawn'::text])))
);
INSERT INTO ops.datasets VALUES ('things', 10);
INSERT INTO ops.drops OVERRIDING SYSTEM VALUE VALUES (1, 'things', '\x13cd9baaf0df7789591e242a8e88fd373e562677723006a305a6268dc1648009', 68, '7df6d20c45407e437f4ccc6f80941095d07b2a19aafaf123834f3a8188ea7a25', 3, '2026-02', '2023-11-14 22:15:00+00', 'things/2026-02/b.csv', NULL);
INSERT INTO ops.drops OVERRIDING SYSTEM VALUE VALUES (4, 'things', '\x5e10c0552ccea859404665048d44ade37734751b7443fab180529df0ef6eb721', 33, '7df6d20c45407e437f4ccc6f80941095d07b2a19aafaf123834f3a8188ea7a25', 5, '2026-03', '2023-11-14 22:18:20+00', 'things/2026-03/copy.csv', NULL);
INSERT INTO ops.drops OVERRIDING SYSTEM VALUE VALUES (3, 'things', '\xee2704f67aeaec927934b4f6ed218ea067044c5f7b96a388771c08a9b213c136', 43, '7df6d20c45407e437f4ccc6f80941095d07b2a19aafaf123834f3a8188ea7a25', 4, '2026-04', '2023-11-14 22:20:00+00', 'things/2026-04/d.csv', '2026-11-30 14:46:47.017548+00');
INSERT INTO ops.drops OVERRIDING SYSTEM VALUE VALUES (2, 'things', '\x5edda42bcc5aa7cfcebe2d1168d1c7645f761cebaaf2043ebf8224f0fae1204f', 21, '7df6d20c45407e437f4ccc6f80941095d07b2a19aafaf123834f3a8188ea7a25', 8, '2026-01', '2023-11-14 22:21:40+00', 'things/2026-01/a.csv', NULL);
INSERT INTO ops.loads OVERRIDING SYSTEM VALUE VALUES (2, 1, 'things', 'things/2026-02/b.csv', 1, 'new', 'loaded', '2026-11-30 14:46:41.082335+00', '2026-11-30 14:46:45.189209+00', '\x450afc00410315ebd02f9742c6ad114f5a509aa1cd734ca24f05dcc0e47530fa', 75, '7df6d20c45407e437f4ccc6f80941095d07b2a19aafaf123834f3a8188ea7a25', 9, 1, 0, 0, 8, 0, 0, 0, 0, 0, 8, 'merge', 'not loaded yet; 2 drops at once, raw was empty', 2.0534375, NULL);
INSERT INTO ops.loads OVERRIDING SYSTEM VALUE VALUES (1, 2, 'things', 'things/2026-01/a.csv', 2, 'new', 'loaded', '2026-11-30 14:46:41.082006+00', '2026-11-30 14:46:45.189315+00', '\x1db39720d0c682de2539f1eb3bd649efde370d1ea07609cc6cce5546428ae7e5', 63, '7df6d20c45407e437f4ccc6f80941095d07b2a19aafaf123834f3a8188ea7a25', 8, 0, 0, 4, 4, 0, 0, 0, 0, 8, 12, 'merge', 'not loaded yet; 2 drops at once, raw was empty', 2.053655, NULL);
INSERT INTO ops.loads OVERRIDING SYSTEM VALUE VALUES (3, 3, 'things', 'things/2026-02/b.csv', 1, 'corrected', 'loaded', '2026-11-30 14:46:45.360862+00', '2026-11-30 14:46:46.195784+00', '\x13cd9baaf0df7789591e242a8e88fd373e562677723006a305a6268dc1648009', 68, '7df6d20c45407e437f4ccc6f80941095d07b2a19aafaf123834f3a8188ea7a25', 8, 1, 0, 0, 0, 0, 7, 0, 1, 12, 11, 'difference', 'corrected in place; of 7 keys sampled raw held 7', 0.834925, NULL);
INSERT INTO ops.loads OVERRIDING SYSTEM VALUE VALUES (6, 4, 'things', 'things/2026-04/d.csv', 3, 'new', 'loaded', '2026-11-30 14:46:46.270697+00', '2026-11-30 14:46:46.568665+00', '\xee2704f67aeaec927934b4f6ed218ea067044c5f7b96a388771c08a9b213c136', 43, '7df6d20c45407e437f4ccc6f80941095d07b2a19aafaf123834f3a8188ea7a25', 4, 0, 0, 0, 4, 0, 0, 0, 0, 11, 15, 'merge', 'not loaded yet; 2 drops at once, of 7 keys sampled raw held 3', 0.1489845, NULL);
INSERT INTO ops.loads OVERRIDING SYSTEM VALUE VALUES (4, 5, 'things', 'things/2026-03/c.csv', 4, 'new', 'loaded', '2026-11-30 14:46:46.270601+00', '2026-11-30 14:46:46.568733+00', '\x5e10c0552ccea859404665048d44ade37734751b7443fab180529df0ef6eb721', 33, '7df6d20c45407e437f4ccc6f80941095d07b2a19aafaf123834f3a8188ea7a25', 3, 0, 0, 0, 0, 3, 0, 0, 0, 15, 15, 'merge', 'not loaded yet; 2 drops at once, of 7 keys sampled raw held 3', 0.149066, NULL);
INSERT INTO ops.loads OVERRIDING SYSTEM VALUE VALUES (7, 6, 'things', 'things/2026-03/copy.csv', 4, 'duplicate', 'loaded', '2026-11-30 14:46:46.594482+00', '2026-11-30 14:46:46.80649+00', '\x5e10c0552ccea859404665048d44ade37734751b7443fab180529df0ef6eb721', 33, '7df6d20c45407e437f4ccc6f80941095d07b2a19aafaf123834f3a8188ea7a25', 0, 0, 0, 0, 0, 0, 0, 0, 0, 15, 15, 'nothing', 'another object holds the same bytes', 0.212009, NULL);
INSERT INTO ops.loads OVERRIDING SYSTEM VALUE VALUES (8, 7, 'things', 'things/2026-04/d.csv', 3, 'withdrawal', 'loaded', '2026-11-30 14:46:46.886275+00', '2026-11-30 14:46:47.021191+00', '\xee2704f67aeaec927934b4f6ed218ea067044c5f7b96a388771c08a9b213c136', 43, NULL, 0, 0, 0, 0, 0, 0, 0, 0, 4, 15, 11, 'withdraw', 'no other object holds its bytes', 0.134917, NULL);
INSERT INTO ops.loads OVERRIDING SYSTEM VALUE VALUES (9, 8, 'things', 'things/2026-01/a.csv', 2, 'corrected', 'loaded', '2026-11-30 14:46:47.108037+00', '2026-11-30 14:46:47.518673+00', '\x5edda42bcc5aa7cfcebe2d1168d1c7645f761cebaaf2043ebf8224f0fae1204f', 21, '7df6d20c45407e437f4ccc6f80941095d07b2a19aafaf123834f3a8188ea7a25', 1, 0, 0, 1, 0, 0, 0, 0, 1, 11, 10, 'difference', 'corrected in place; of 1 keys sampled raw held 1', 0.410638, NULL);
INSERT INTO ops.migrations VALUES (1, '0001_ledger.sql', '2026-11-30 14:46:38.493474+00');
INSERT INTO ops.migrations VALUES (2, '0002_withdrawals.sql', '2026-11-30 14:46:38.493474+00');
INSERT INTO ops.migrations VALUES (3, '0003_listing.sql', '2026-11-30 14:46:38.493474+00');
INSERT INTO ops.migrations VALUES (4, '0004_lake.sql', '2026-11-30 14:46:38.493474+00');
INSERT INTO ops.migrations VALUES (5, '0005_profiles.sql', '2026-11-30 14:46:38.493474+00');
INSERT INTO ops.migrations VALUES (6, '0006_acceptance.sql', '2026-11-30 14:46:38.493474+00');
INSERT INTO ops.migrations VALUES (7, '0007_dropped_views.sql', '2026-11-30 14:46:38.493474+00');
INSERT INTO ops.migrations VALUES (8, '0008_faults.sql', '2026-11-30 14:46:38.493474+00');
INSERT INTO ops.migrations VALUES (9, '0009_quarantine_reasons.sql', '2026-11-30 14:46:38.493474+00');
INSERT INTO ops.objects VALUES ('things/2026-02/b.csv', 'things', '2026-02', 'in_force', '44-17979d157ea0e800-18ecd9f6c2988688-26485a', 68, '2023-11-14 22:15:00+00', '2023-11-14 22:15:00+00', 1, '2026-11-30 14:46:38.915575+00', NULL, NULL);
INSERT INTO ops.objects VALUES ('things/2026-03/c.csv', 'things', '2026-03', 'in_force', '21-17979d2cc717d000-18ecd9f6c29d6a63-26485b', 33, '2023-11-14 22:16:40+00', '2023-11-14 22:16:40+00', 4, '2026-11-30 14:46:45.299064+00', NULL, NULL);
INSERT INTO ops.objects VALUES ('things/2026-03/copy.csv', 'things', '2026-03', 'in_force', '21-17979d440f8eb800-18ecd9f6c2a0258c-26485c', 33, '2023-11-14 22:18:20+00', '2023-11-14 22:18:20+00', 4, '2026-11-30 14:46:45.299064+00', NULL, NULL);
INSERT INTO ops.objects VALUES ('things/2026-04/d.csv', 'things', '2026-04', 'withdrawn', '2b-17979d5b5805a000-18ecd9f6c2a20e3d-26485e', 43, '2023-11-14 22:20:00+00', '2023-11-14 22:20:00+00', NULL, '2026-11-30 14:46:45.299064+00', '\xee2704f67aeaec927934b4f6ed218ea067044c5f7b96a388771c08a9b213c136', NULL);
INSERT INTO ops.objects VALUES ('things/2026-01/a.csv', 'things', '2026-01', 'in_force', '15-17979d72a07c8800-18ecd9f72dda974c-26485f', 21, '2023-11-14 22:21:40+00', '2023-11-14 22:21:40+00', 2, '2026-11-30 14:46:38.915575+00', NULL, NULL);
INSERT INTO ops.quarantine OVERRIDING SYSTEM VALUE VALUES (1, 1, 'things', 'things/2026-02/b.csv', 10, 'amount', 'not_a_number', '''x'' is not a number', '99,x,bad', NULL, 3, '2026-11-30 14:46:46.207612+00');
INSERT INTO ops.quarantine OVERRIDING SYSTEM VALUE VALUES (2, 3, 'things', 'things/2026-02/b.csv', 9, 'amount', 'not_a_number', '''x'' is not a number', '98,x,bad', NULL, NULL, NULL);
INSERT INTO raw.things VALUES (5, 2.00, 'b', 1, 1, 2);
INSERT INTO raw.things VALUES (6, 2.00, 'b', 1, 1, 3);
INSERT INTO raw.things VALUES (7, 2.00, 'b', 1, 1, 4);
INSERT INTO raw.things VALUES (8, 2.00, 'b', 1, 1, 5);
INSERT INTO raw.things VALUES (9, 2.00, 'b', 1, 1, 6);
INSERT INTO raw.things VALUES (10, 2.00, 'b', 1, 1, 7);
INSERT INTO raw.things VALUES (11, 2.00, 'b', 1, 1, 8);
INSERT INTO raw.things VALUES (1, 3.00, 'c', 4, 5, 2);
INSERT INTO raw.things VALUES (2, 3.00, 'c', 4, 5, 3);
INSERT INTO raw.things VALUES (3, 3.00, 'c', 4, 5, 4);
INSERT INTO raw.things__history VALUES (12, 2.00, 'b', 1, 1, 9, 3, 'withdrawn');
INSERT INTO raw.things__history VALUES (20, 4.00, 'd', 3, 4, 2, 7, 'withdrawn');
INSERT INTO raw.things__history VALUES (21, 4.00, 'd', 3, 4, 3, 7, 'withdrawn');
INSERT INTO raw.things__history VALUES (22, 4.00, 'd', 3, 4, 4, 7, 'withdrawn');
INSERT INTO raw.things__history VALUES (23, 4.00, 'd', 3, 4, 5, 7, 'withdrawn');
INSERT INTO raw.things__history VALUES (1, 1.00, 'a', 2, 8, 2, 8, 'waiting');
INSERT INTO raw.things__history VALUES (4, 1.00, 'a', 2, 2, 5, 8, 'withdrawn');
SELECT pg_catalog.setval('ops.drops_drop_id_seq', 4, true);
SELECT pg_catalog.setval('ops.findings_finding_id_seq', 1, false);
SELECT pg_catalog.setval('ops.lake_files_file_id_seq', 1, false);
SELECT pg_catalog.setval('ops.load_ids', 8, true);
SELECT pg_catalog.setval('ops.loads_attempt_id_seq', 9, true);
SELECT pg_catalog.setval('ops.profiles_profile_id_seq', 1, false);
SELECT pg_catalog.setval('ops.quarantine_quarantine_id_seq', 2, true);
ALTER TABLE ONLY ops.builds
    ADD CONSTRAINT builds_pkey PRIMARY KEY (domain, dataset);
ALTER TABLE ONLY ops.datasets
    ADD CONSTRAINT datasets_pkey PRIMARY KEY (dataset);
ALTER TABLE ONLY ops.drops
    ADD CONSTRAINT drops_pkey PRIMARY KEY (drop_id);
ALTER TABLE ONLY ops.faults
    ADD CONSTRAINT faults_pkey PRIMARY KEY (dataset, step);
ALTER TABLE ONLY ops.findings
    ADD CONSTRAINT findings_pkey PRIMARY KEY (finding_id);
ALTER TABLE ONLY ops.held
    ADD CONSTRAINT held_pkey PRIMARY KEY (object_key);
ALTER TABLE ONLY ops.lake_drops
    ADD CONSTRAINT lake_drops_pkey PRIMARY KEY (drop_id, load_id);
ALTER TABLE ONLY ops.lake_files
    ADD CONSTRAINT lake_files_path_key UNIQUE (path);
ALTER TABLE ONLY ops.lake_files
    ADD CONSTRAINT lake_files_pkey PRIMARY KEY (file_id);
ALTER TABLE ONLY ops.lake_marks
    ADD CONSTRAINT lake_marks_pkey PRIMARY KEY (dataset);
ALTER TABLE ONLY ops.loads
    ADD CONSTRAINT loads_load_id_key UNIQUE (load_id);
ALTER TABLE ONLY ops.loads
    ADD CONSTRAINT loads_pkey PRIMARY KEY (attempt_id);
ALTER TABLE ONLY ops.migrations
    ADD CONSTRAINT migrations_pkey PRIMARY KEY (step);
ALTER TABLE ONLY ops.objects
    ADD CONSTRAINT objects_pkey PRIMARY KEY (object_key);
ALTER TABLE ONLY ops.profile_columns
    ADD CONSTRAINT profile_columns_pkey PRIMARY KEY (profile_id, "position");
ALTER TABLE ONLY ops.profiles
    ADD CONSTRAINT profiles_pkey PRIMARY KEY (profile_id);
ALTER TABLE ONLY ops.quarantine
    ADD CONSTRAINT quarantine_pkey PRIMARY KEY (quarantine_id);
ALTER TABLE ONLY raw.things
    ADD CONSTRAINT things_pkey PRIMARY KEY (id);
CREATE INDEX conflicts_by_load ON ops.conflicts USING btree (load_id);
CREATE INDEX drops_by_fingerprint ON ops.drops USING btree (dataset, fingerprint) WHERE (ended_at IS NULL);
CREATE INDEX drops_by_load ON ops.drops USING btree (dataset, load_id);
CREATE UNIQUE INDEX drops_in_force ON ops.drops USING btree (dataset, sha256) WHERE (ended_at IS NULL);
CREATE INDEX findings_accepted ON ops.findings USING btree (dataset, column_name, shape) WHERE (accepted_at IS NOT NULL);
CREATE INDEX findings_open ON ops.findings USING btree (object_key) WHERE (closed_at IS NULL);
CREATE INDEX held_by_dataset ON ops.held USING btree (dataset);
CREATE INDEX lake_files_by_date ON ops.lake_files USING btree (dataset, date) WHERE (state <> 'deleted'::text);
CREATE INDEX loads_by_dataset ON ops.loads USING btree (dataset, load_id);
CREATE INDEX loads_started ON ops.loads USING btree (attempt_id) WHERE (state = 'started'::text);
CREATE INDEX objects_by_dataset ON ops.objects USING btree (dataset);
CREATE INDEX objects_by_drop ON ops.objects USING btree (drop_id);
CREATE INDEX objects_by_period ON ops.objects USING btree (dataset, period) WHERE (state = 'in_force'::text);
CREATE INDEX objects_by_version ON ops.objects USING btree (dataset, size_bytes, etag) WHERE (state = ANY (ARRAY['in_force'::text, 'withdrawn'::text]));
CREATE INDEX objects_not_in_force ON ops.objects USING btree (dataset) WHERE (state <> 'in_force'::text);
CREATE INDEX profiles_by_relation ON ops.profiles USING btree (relation_schema, relation_name, profile_id);
CREATE INDEX quarantine_by_load ON ops.quarantine USING btree (load_id);
CREATE INDEX quarantine_open ON ops.quarantine USING btree (dataset, object_key) WHERE (closed_by_load_id IS NULL);
CREATE INDEX things__drop_id__load_id_idx ON raw.things USING brin (_drop_id, _load_id) WITH (autosummarize='true');
CREATE INDEX things__history__by_load_id_idx ON raw.things__history USING btree (_by_load_id);
CREATE INDEX things__history__drop_id_idx ON raw.things__history USING btree (_drop_id) WHERE (_fate = 'waiting'::text);
CREATE INDEX things__history_id_idx ON raw.things__history USING btree (id) WHERE (_fate = 'waiting'::text);
ALTER TABLE ONLY ops.builds
    ADD CONSTRAINT builds_dataset_fkey FOREIGN KEY (dataset) REFERENCES ops.datasets(dataset);
ALTER TABLE ONLY ops.conflicts
    ADD CONSTRAINT conflicts_dataset_fkey FOREIGN KEY (dataset) REFERENCES ops.datasets(dataset);
ALTER TABLE ONLY ops.dropped_views
    ADD CONSTRAINT dropped_views_dataset_fkey FOREIGN KEY (dataset) REFERENCES ops.datasets(dataset);
ALTER TABLE ONLY ops.drops
    ADD CONSTRAINT drops_dataset_fkey FOREIGN KEY (dataset) REFERENCES ops.datasets(dataset);
ALTER TABLE ONLY ops.findings
    ADD CONSTRAINT findings_dataset_fkey FOREIGN KEY (dataset) REFERENCES ops.datasets(dataset);
ALTER TABLE ONLY ops.held
    ADD CONSTRAINT held_dataset_fkey FOREIGN KEY (dataset) REFERENCES ops.datasets(dataset);
ALTER TABLE ONLY ops.held
    ADD CONSTRAINT held_object_key_fkey FOREIGN KEY (object_key) REFERENCES ops.objects(object_key);
ALTER TABLE ONLY ops.lake_drops
    ADD CONSTRAINT lake_drops_drop_id_fkey FOREIGN KEY (drop_id) REFERENCES ops.drops(drop_id);
ALTER TABLE ONLY ops.lake_drops
    ADD CONSTRAINT lake_drops_file_id_fkey FOREIGN KEY (file_id) REFERENCES ops.lake_files(file_id);
ALTER TABLE ONLY ops.lake_files
    ADD CONSTRAINT lake_files_dataset_fkey FOREIGN KEY (dataset) REFERENCES ops.datasets(dataset);
ALTER TABLE ONLY ops.lake_files
    ADD CONSTRAINT lake_files_replaced_by_fkey FOREIGN KEY (replaced_by) REFERENCES ops.lake_files(file_id);
ALTER TABLE ONLY ops.lake_marks
    ADD CONSTRAINT lake_marks_dataset_fkey FOREIGN KEY (dataset) REFERENCES ops.datasets(dataset);
ALTER TABLE ONLY ops.loads
    ADD CONSTRAINT loads_dataset_fkey FOREIGN KEY (dataset) REFERENCES ops.datasets(dataset);
ALTER TABLE ONLY ops.objects
    ADD CONSTRAINT objects_dataset_fkey FOREIGN KEY (dataset) REFERENCES ops.datasets(dataset);
ALTER TABLE ONLY ops.objects
    ADD CONSTRAINT objects_drop_id_fkey FOREIGN KEY (drop_id) REFERENCES ops.drops(drop_id);
ALTER TABLE ONLY ops.profile_columns
    ADD CONSTRAINT profile_columns_profile_id_fkey FOREIGN KEY (profile_id) REFERENCES ops.profiles(profile_id) ON DELETE CASCADE;
ALTER TABLE ONLY ops.quarantine
    ADD CONSTRAINT quarantine_dataset_fkey FOREIGN KEY (dataset) REFERENCES ops.datasets(dataset);
