-- A business that moves to another database.
--
-- One row with the same id in both. 'leaving': it goes from here to `place`, and whoever writes here from now on is
-- refused, for what he writes would be left behind. 'coming': not all of it has come from `place` yet. 'here': it has.
CREATE TABLE moving (
    id TEXT NOT NULL PRIMARY KEY,
    state TEXT NOT NULL CHECK (state IN ('leaving', 'coming', 'here')),
    place TEXT NOT NULL,
    began_at BIGINT NOT NULL,
    ended_at BIGINT
);
