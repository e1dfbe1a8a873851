-- The whole pipeline of minimal as one Flink job: one scan of the events, one statement set for all boards.

SET 'table.local-time-zone' = 'UTC';
-- Totals of past seasons are forgotten this long after their last change.
SET 'table.exec.state.ttl' = '10800000 ms';
-- Updates are combined for this long before they move on: fewer changes at a small cost in freshness.
SET 'table.exec.mini-batch.enabled' = 'true';
SET 'table.exec.mini-batch.allow-latency' = '200 ms';
SET 'table.exec.mini-batch.size' = '5000';
-- A partition without events for this long does not hold up the others' windows.
SET 'table.exec.source.idle-timeout' = '10 s';

-- The game's events, as they are in Kafka. What cannot be read as a field's type is NULL (a number's decimals are dropped,
-- digits in quotes are a number); nothing in the topic can stop the job.
CREATE TABLE raw_events (
  user_id STRING,
  team_id STRING,
  team_name STRING,
  score BIGINT,
  event_time_millis BIGINT,
  -- When the producer made the record: with it, being late is a fact of the topic's content and the same in every replay.
  produced_at TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL,
  -- An event cannot have happened after it was sent: a clock that runs ahead must not close everyone else's windows.
  event_time AS CASE
    WHEN TO_TIMESTAMP_LTZ(event_time_millis, 3) < produced_at THEN TO_TIMESTAMP_LTZ(event_time_millis, 3)
    ELSE produced_at
  END,
  WATERMARK FOR event_time AS event_time - INTERVAL '0 00:00:05' DAY TO SECOND
) WITH (
  'connector' = 'kafka',
  'topic' = 'minimal-user-score',
  'properties.bootstrap.servers' = 'games-kafka-bootstrap:9092',
  'properties.group.id' = 'minimal-flink',
  'scan.startup.mode' = 'earliest-offset',
  'scan.topic-partition-discovery.interval' = '30 s',
  -- Reading a backlog, partitions stay within 30 s of each other's event time, so that windows hold little.
  'scan.watermark.alignment.group' = 'events',
  'scan.watermark.alignment.max-drift' = '30 s',
  'scan.watermark.alignment.update-interval' = '100 ms',
  'value.format' = 'json',
  'value.json.ignore-parse-errors' = 'true'
);

-- The events that count: with ids, a time (up to the last day that dates have), and a score from 0 to the largest integer
-- that JSON carries exactly.
-- "score >= 0" stands on the bare column: by it the planner knows that totals only grow, and ranks them the fast way.
-- Ids and names are bounded, so that no row outgrows a Kafka message.
CREATE VIEW valid_events AS
SELECT
  user_id,
  team_id,
  LEFT(team_name, 256) AS team_name,
  score,
  event_time_millis,
  event_time,
  produced_at
FROM raw_events
WHERE user_id <> '' AND CHAR_LENGTH(user_id) <= 256
  AND team_id <> '' AND CHAR_LENGTH(team_id) <= 256
  AND event_time_millis >= 0 AND event_time_millis <= 8640000000000000
  AND score >= 0 AND score <= 9007199254740991;

-- A board with totals that change: each rank's newest row, by upsert.
CREATE TABLE `top-teams` (
  `season_start` BIGINT,
  `rnk` BIGINT,
  `team_id` STRING,
  `team_name` STRING,
  `total_score` BIGINT,
  PRIMARY KEY (`season_start`, `rnk`) NOT ENFORCED
) WITH (
  'connector' = 'upsert-kafka',
  'topic' = 'minimal-top-teams',
  'properties.bootstrap.servers' = 'games-kafka-bootstrap:9092',
  'key.format' = 'json',
  'value.format' = 'json',
  -- Of all changes to a rank in this time only the last is written.
  'sink.buffer-flush.max-rows' = '5000',
  'sink.buffer-flush.interval' = '200 ms'
);

-- A board with totals that change: each rank's newest row, by upsert.
CREATE TABLE `top-players` (
  `season_start` BIGINT,
  `rnk` BIGINT,
  `user_id` STRING,
  `team_name` STRING,
  `total_score` BIGINT,
  PRIMARY KEY (`season_start`, `rnk`) NOT ENFORCED
) WITH (
  'connector' = 'upsert-kafka',
  'topic' = 'minimal-top-players',
  'properties.bootstrap.servers' = 'games-kafka-bootstrap:9092',
  'key.format' = 'json',
  'value.format' = 'json',
  -- Of all changes to a rank in this time only the last is written.
  'sink.buffer-flush.max-rows' = '5000',
  'sink.buffer-flush.interval' = '200 ms'
);

-- A board drawn anew at each instant: rows are only ever appended, keyed by rank.
CREATE TABLE `hot-streakers` (
  `as_of` BIGINT,
  `rnk` BIGINT,
  `user_id` STRING,
  `team_name` STRING,
  `short_term_avg` DOUBLE,
  `long_term_avg` DOUBLE,
  `peak_hotness` DOUBLE
) WITH (
  'connector' = 'kafka',
  'topic' = 'minimal-hot-streakers',
  'properties.bootstrap.servers' = 'games-kafka-bootstrap:9092',
  'key.format' = 'json',
  'key.fields' = 'rnk',
  'value.format' = 'json'
);

-- A board with totals that change: each rank's newest row, by upsert.
CREATE TABLE `team-mvps` (
  `season_start` BIGINT,
  `rnk` BIGINT,
  `user_id` STRING,
  `team_id` STRING,
  `team_name` STRING,
  `player_total` BIGINT,
  `team_total` BIGINT,
  `contrib_ratio` DOUBLE,
  PRIMARY KEY (`season_start`, `rnk`) NOT ENFORCED
) WITH (
  'connector' = 'upsert-kafka',
  'topic' = 'minimal-team-mvps',
  'properties.bootstrap.servers' = 'games-kafka-bootstrap:9092',
  'key.format' = 'json',
  'value.format' = 'json',
  -- Of all changes to a rank in this time only the last is written.
  'sink.buffer-flush.max-rows' = '5000',
  'sink.buffer-flush.interval' = '200 ms'
);

EXECUTE STATEMENT SET
BEGIN
INSERT INTO `top-teams`
WITH totals AS (
  SELECT
    event_time_millis - MOD(event_time_millis, 3600000) AS season_start,
    team_id,
    MAX(team_name) AS team_name,
    SUM(score) AS total_score
  FROM valid_events
  GROUP BY event_time_millis - MOD(event_time_millis, 3600000), team_id
), ranked AS (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY season_start ORDER BY total_score DESC, team_id) AS rnk
  FROM totals
)
SELECT season_start, rnk, team_id, team_name, total_score
FROM ranked
WHERE rnk <= 10;

INSERT INTO `top-players`
WITH totals AS (
  SELECT
    event_time_millis - MOD(event_time_millis, 3600000) AS season_start,
    user_id,
    MAX(team_name) AS team_name,
    SUM(score) AS total_score
  FROM valid_events
  GROUP BY event_time_millis - MOD(event_time_millis, 3600000), user_id
), ranked AS (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY season_start ORDER BY total_score DESC, user_id) AS rnk
  FROM totals
)
SELECT season_start, rnk, user_id, team_name, total_score
FROM ranked
WHERE rnk <= 10;

INSERT INTO `hot-streakers`
-- At each instant t, a multiple of 5 s in event time:
--   hotness of a player = average score in [t - 10 s, t) / average score in [t - 60 s, t)
--   the board at t ranks each player's highest hotness of the last 300 s.
-- Events that reached Kafka too late for the windows are left out by their own timestamps, so that the board does not
-- depend on the order in which partitions are read.
WITH slices AS (
  SELECT window_time AS slice_time, user_id, MAX(team_name) AS team_name, SUM(score) AS total, COUNT(*) AS events
  FROM TABLE(TUMBLE(TABLE valid_events, DESCRIPTOR(event_time), INTERVAL '0 00:00:05' DAY TO SECOND))
  WHERE event_time > produced_at - INTERVAL '0 00:00:05' DAY TO SECOND
  GROUP BY window_start, window_end, window_time, user_id
), averages AS (
  SELECT
    window_time AS instant,
    user_id,
    MAX(team_name) AS team_name,
    CAST(SUM(total) FILTER (WHERE slice_time >= window_end - INTERVAL '0 00:00:10' DAY TO SECOND) AS DOUBLE)
      / CAST(SUM(events) FILTER (WHERE slice_time >= window_end - INTERVAL '0 00:00:10' DAY TO SECOND) AS DOUBLE) AS short_avg,
    CAST(SUM(total) AS DOUBLE) / CAST(SUM(events) AS DOUBLE) AS long_avg
  FROM TABLE(HOP(TABLE slices, DESCRIPTOR(slice_time), INTERVAL '0 00:00:05' DAY TO SECOND, INTERVAL '0 00:01:00' DAY TO SECOND))
  GROUP BY window_start, window_end, window_time, user_id
), moments AS (
  -- One sortable text per moment, because MAX takes one value and the averages must come from the same moment:
  -- hotness with a fixed width (20 decimals), the instant (of equal moments the latest stands), then the numbers as they are.
  SELECT
    instant,
    user_id,
    team_name,
    LPAD(CAST(CAST(short_avg / long_avg AS DECIMAL(38, 20)) AS STRING), 39, '0')
      || '|' || LPAD(CAST(EXTRACT(EPOCH FROM instant) AS STRING), 12, '0')
      || '|' || CAST(short_avg / long_avg AS STRING)
      || '|' || CAST(short_avg AS STRING)
      || '|' || CAST(long_avg AS STRING) AS moment
  FROM averages
  WHERE long_avg > 0 AND short_avg >= 0
), peaks AS (
  SELECT window_start, window_end, user_id, MAX(team_name) AS team_name, MAX(moment) AS peak
  FROM TABLE(HOP(TABLE moments, DESCRIPTOR(instant), INTERVAL '0 00:00:05' DAY TO SECOND, INTERVAL '0 00:05:00' DAY TO SECOND))
  GROUP BY window_start, window_end, user_id
), ranked AS (
  SELECT
    *,
    ROW_NUMBER() OVER (
      PARTITION BY window_start, window_end ORDER BY SUBSTRING(peak, 1, 39) DESC, user_id
    ) AS rnk
  FROM peaks
)
SELECT
  1000 * EXTRACT(EPOCH FROM window_end) AS as_of,
  rnk,
  user_id,
  team_name,
  CAST(SPLIT_INDEX(peak, '|', 3) AS DOUBLE) AS short_term_avg,
  CAST(SPLIT_INDEX(peak, '|', 4) AS DOUBLE) AS long_term_avg,
  CAST(SPLIT_INDEX(peak, '|', 2) AS DOUBLE) AS peak_hotness
FROM ranked
WHERE rnk <= 10;

INSERT INTO `team-mvps`
-- Within a team the share orders like the total, so the team's best player is found by total first (a fast rank) and only
-- then joined with the team's total: joining first would make every event re-emit every member of the team.
WITH players AS (
  SELECT event_time_millis - MOD(event_time_millis, 3600000) AS season_start, team_id, user_id, SUM(score) AS player_total
  FROM valid_events
  GROUP BY event_time_millis - MOD(event_time_millis, 3600000), team_id, user_id
), teams AS (
  SELECT event_time_millis - MOD(event_time_millis, 3600000) AS season_start, team_id, MAX(team_name) AS team_name, SUM(score) AS team_total
  FROM valid_events
  GROUP BY event_time_millis - MOD(event_time_millis, 3600000), team_id
), players_ranked AS (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY season_start, team_id ORDER BY player_total DESC, user_id) AS rnk
  FROM players
), mvps AS (
  SELECT
    mvp.season_start,
    mvp.user_id,
    mvp.team_id,
    teams.team_name,
    mvp.player_total,
    teams.team_total,
    CASE
      WHEN teams.team_total > 0 THEN CAST(mvp.player_total AS DOUBLE) / CAST(teams.team_total AS DOUBLE)
      ELSE CAST(0 AS DOUBLE)
    END AS contrib_ratio
  FROM players_ranked AS mvp
  JOIN teams ON teams.season_start = mvp.season_start AND teams.team_id = mvp.team_id
  WHERE mvp.rnk = 1
), ranked AS (
  SELECT
    *,
    ROW_NUMBER() OVER (
      PARTITION BY season_start ORDER BY contrib_ratio DESC, player_total DESC, team_id
    ) AS rnk
  FROM mvps
)
SELECT season_start, rnk, user_id, team_id, team_name, player_total, team_total, contrib_ratio
FROM ranked
WHERE rnk <= 10;

END;
