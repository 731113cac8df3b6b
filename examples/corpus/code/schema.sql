-- Tables of the station's archive. One row per gauge and minute; ten-minute means older than two years.
CREATE TABLE gauge (
    id          text PRIMARY KEY,            -- G1 .. G5
    place       text NOT NULL,
    zero_m      numeric(7, 2) NOT NULL       -- gauge zero above sea level
);

CREATE TABLE level_reading (
    gauge_id    text NOT NULL REFERENCES gauge (id),
    read_at     timestamptz NOT NULL,
    probe_cm    real,
    head_cm     real,
    verdict     text CHECK (verdict IN ('OK', 'DISAGREE', 'OBSTRUCTED')),
    PRIMARY KEY (gauge_id, read_at)
);

-- The crest of every flood above the watch level of Millbridge Weir.
CREATE VIEW flood_crest AS
SELECT date_trunc('day', read_at) AS day, max(probe_cm) AS crest_cm
FROM level_reading
WHERE gauge_id = 'G4' AND probe_cm >= 210
GROUP BY 1
ORDER BY crest_cm DESC;
