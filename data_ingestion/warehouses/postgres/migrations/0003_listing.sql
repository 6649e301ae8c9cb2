-- What a run has to look at again though its period is past: drops that an earlier contract brought in.

create index drops_by_fingerprint on ops.drops (dataset, fingerprint) where ended_at is null;
