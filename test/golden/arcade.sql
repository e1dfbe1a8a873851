-- The whole pipeline of arcade as one Flink job: one scan of the events, one statement set for all boards.

SET 'table.local-time-zone' = 'UTC';
-- Totals of past seasons are forgotten this long after their last change.
SET 'table.exec.state.ttl' = '10800000 ms';
-- Updates are combined for this long before they move on: fewer changes at a small cost in freshness.
SET 'table.exec.mini-batch.enabled' = 'true';
SET 'table.exec.mini-batch.allow-latency' = '200 ms';
SET 'table.exec.mini-batch.size' = '5000';
-- A partition without events for this long does not hold up the others' windows. Longer than Kafka is away in a roll-out: of
-- partitions that come back after this time, the first to be read closes the windows of the others.
SET 'table.exec.source.idle-timeout' = '30 s';
-- State is found by an operator's place in this script: statements may be added at the end, and none may move.
SET 'table.exec.uid.generation' = 'ALWAYS';
SET 'table.exec.uid.format' = '1-a94db027-<id>_<transformation>';

-- The game's events, as they are in Kafka. What cannot be read as a field's type is NULL (a number's decimals are dropped,
-- digits in quotes are a number); nothing in the topic can stop the job.
CREATE TABLE `raw_events` (
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
  'topic' = 'arcade-user-score',
  'properties.bootstrap.servers' = 'games-kafka-bootstrap:9092',
  'properties.group.id' = 'arcade.flink',
  'scan.startup.mode' = 'earliest-offset',
  'scan.topic-partition-discovery.interval' = '30 s',
  -- Reading a backlog, partitions stay within 5 min of each other's event time, so that windows hold little.
  'scan.watermark.alignment.group' = 'raw_events',
  'scan.watermark.alignment.max-drift' = '5 min',
  'scan.watermark.alignment.update-interval' = '100 ms',
  'value.format' = 'json',
  'value.json.ignore-parse-errors' = 'true'
);

-- The events that count: with ids, a time (up to the last day that dates have), and a score from 0 to the largest integer
-- that JSON carries exactly.
-- "score >= 0" stands on the bare column: by it the planner knows that totals only grow, and ranks them the fast way.
-- Ids and names are bounded, so that no row outgrows a Kafka message. (And LEFT makes text that compares by its bytes: text as
-- it comes from JSON compares by UTF-16.)
CREATE VIEW `valid_events` AS
SELECT
  user_id,
  team_id,
  LEFT(team_name, 256) AS team_name,
  score,
  event_time_millis,
  event_time,
  produced_at
FROM `raw_events`
WHERE user_id <> '' AND CHAR_LENGTH(user_id) <= 256
  AND team_id <> '' AND CHAR_LENGTH(team_id) <= 256
  AND event_time_millis >= 0 AND event_time_millis <= 8640000000000000
  AND score >= 0 AND score <= 9007199254740991;

-- What goes through the pipeline, in slots of 5 s. Counts are by Kafka's own time of the record; players and teams are those
-- with an event in time whose event time is in the slot. A slot's row grows until its time is over.
CREATE TABLE pipeline_stats (
  slot_start BIGINT,
  events BIGINT,
  late_events BIGINT,
  robot_events BIGINT,
  uncounted_events BIGINT,
  undecodable_messages BIGINT,
  active_players BIGINT,
  active_teams BIGINT,
  newest_event_time BIGINT,
  PRIMARY KEY (slot_start) NOT ENFORCED
) WITH (
  'connector' = 'upsert-kafka',
  'topic' = 'arcade-pipeline-stats',
  'properties.bootstrap.servers' = 'games-kafka-bootstrap:9092',
  'key.format' = 'json',
  'value.format' = 'json',
  'sink.buffer-flush.max-rows' = '5000',
  'sink.buffer-flush.interval' = '200 ms'
);

-- Every message, read but not decoded: those that give no event could not be decoded.
CREATE TABLE messages (
  content BYTES,
  produced_at TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL,
  WATERMARK FOR produced_at AS produced_at - INTERVAL '0 00:00:05' DAY TO SECOND
) WITH (
  'connector' = 'kafka',
  'topic' = 'arcade-user-score',
  'properties.bootstrap.servers' = 'games-kafka-bootstrap:9092',
  'properties.group.id' = 'arcade.flink-stats',
  'scan.startup.mode' = 'earliest-offset',
  'scan.topic-partition-discovery.interval' = '30 s',
  -- Not ahead of the events, or all that is ahead would count as undecodable until they follow.
  'scan.watermark.alignment.group' = 'raw_events',
  'scan.watermark.alignment.max-drift' = '5 min',
  'scan.watermark.alignment.update-interval' = '100 ms',
  'value.format' = 'raw'
);

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
  'topic' = 'arcade-top-teams',
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
  'topic' = 'arcade-top-players',
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
  'topic' = 'arcade-hot-streakers',
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
  'topic' = 'arcade-team-mvps',
  'properties.bootstrap.servers' = 'games-kafka-bootstrap:9092',
  'key.format' = 'json',
  'value.format' = 'json',
  -- Of all changes to a rank in this time only the last is written.
  'sink.buffer-flush.max-rows' = '5000',
  'sink.buffer-flush.interval' = '200 ms'
);

EXECUTE STATEMENT SET
BEGIN
INSERT INTO pipeline_stats
WITH parts AS (
  SELECT
    1000 * (EXTRACT(EPOCH FROM produced_at) - MOD(EXTRACT(EPOCH FROM produced_at), 5)) AS slot_start,
    0 AS messages,
    1 AS events,
    CASE WHEN TO_TIMESTAMP_LTZ(event_time_millis, 3) <= produced_at - INTERVAL '0 00:00:05' DAY TO SECOND THEN 1 ELSE 0 END AS late,
    CASE WHEN user_id LIKE 'RBT%' THEN 1 ELSE 0 END AS robots,
    CASE WHEN user_id <> '' AND CHAR_LENGTH(user_id) <= 256
  AND team_id <> '' AND CHAR_LENGTH(team_id) <= 256
  AND event_time_millis >= 0 AND event_time_millis <= 8640000000000000
  AND score >= 0 AND score <= 9007199254740991 THEN 0 ELSE 1 END AS uncounted,
    CAST(0 AS BIGINT) AS players,
    CAST(0 AS BIGINT) AS teams,
    CASE WHEN TO_TIMESTAMP_LTZ(event_time_millis, 3) <= produced_at THEN event_time_millis END AS event_time_millis
  FROM `raw_events`
  UNION ALL
  SELECT 1000 * (EXTRACT(EPOCH FROM produced_at) - MOD(EXTRACT(EPOCH FROM produced_at), 5)), 1, 0, 0, 0, 0, 0, 0, CAST(NULL AS BIGINT)
  FROM messages
  UNION ALL
  SELECT 1000 * EXTRACT(EPOCH FROM window_start), 0, 0, 0, 0, 0, COUNT(DISTINCT user_id), COUNT(DISTINCT team_id), CAST(NULL AS BIGINT)
  FROM TABLE(TUMBLE(TABLE `valid_events`, DESCRIPTOR(event_time), INTERVAL '5' SECOND))
  WHERE event_time > produced_at - INTERVAL '0 00:00:05' DAY TO SECOND
  GROUP BY window_start, window_end
)
-- A slot changes for seconds; it need not be remembered as long as a season.
SELECT /*+ STATE_TTL('parts' = '1 h') */
  slot_start,
  SUM(CAST(events AS BIGINT)),
  SUM(CAST(late AS BIGINT)),
  SUM(CAST(robots AS BIGINT)),
  SUM(CAST(uncounted AS BIGINT)),
  SUM(CAST(messages AS BIGINT)) - SUM(CAST(events AS BIGINT)),
  SUM(players),
  SUM(teams),
  MAX(event_time_millis)
FROM parts
GROUP BY slot_start;

INSERT INTO `top-teams`
WITH totals AS (
  SELECT
    event_time_millis - MOD(event_time_millis, 3600000) AS season_start,
    team_id,
    MAX(team_name) AS team_name,
    SUM(score) AS total_score
  FROM `valid_events`
  GROUP BY event_time_millis - MOD(event_time_millis, 3600000), team_id
), ranked AS (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY season_start ORDER BY total_score DESC, team_id) AS rnk
  FROM totals
)
SELECT season_start, rnk, team_id, team_name, total_score
FROM ranked
WHERE rnk <= 16;

INSERT INTO `top-players`
WITH totals AS (
  SELECT
    event_time_millis - MOD(event_time_millis, 3600000) AS season_start,
    user_id,
    MAX(team_name) AS team_name,
    SUM(score) AS total_score
  FROM `valid_events`
  GROUP BY event_time_millis - MOD(event_time_millis, 3600000), user_id
), ranked AS (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY season_start ORDER BY total_score DESC, user_id) AS rnk
  FROM totals
)
SELECT season_start, rnk, user_id, team_name, total_score
FROM ranked
WHERE rnk <= 16;

INSERT INTO `hot-streakers`
-- At each instant t, a multiple of 5 s in event time:
--   hotness of a player = average score in [t - 10 s, t) / average score in [t - 60 s, t)
--   the board at t ranks each player's highest hotness of the last 300 s; a team's name is that of the short window.
-- Events that reached Kafka too late for the windows are left out by their own timestamps, so that the board does not
-- depend on the order in which partitions are read.
WITH slices AS (
  SELECT window_time AS slice_time, user_id, MAX(team_name) AS team_name, SUM(score) AS total, COUNT(*) AS events
  FROM TABLE(TUMBLE(TABLE `valid_events`, DESCRIPTOR(event_time), INTERVAL '0 00:00:05' DAY TO SECOND))
  WHERE event_time > produced_at - INTERVAL '0 00:00:05' DAY TO SECOND
  GROUP BY window_start, window_end, window_time, user_id
), recents AS (
  -- Only who played within the short window has a hotness: a row for each such player and instant, with what is new since the
  -- instant before. The long window is the sum of what was new; as a HOP of its own it would make a row at each instant for
  -- everyone who played within it, of whom most have no hotness.
  SELECT
    window_time AS instant,
    user_id,
    MAX(team_name) AS team_name,
    SUM(total) AS short_total,
    SUM(events) AS short_events,
    SUM(total) FILTER (WHERE slice_time >= window_end - INTERVAL '0 00:00:05' DAY TO SECOND) AS new_total,
    SUM(events) FILTER (WHERE slice_time >= window_end - INTERVAL '0 00:00:05' DAY TO SECOND) AS new_events
  FROM TABLE(HOP(TABLE slices, DESCRIPTOR(slice_time), INTERVAL '0 00:00:05' DAY TO SECOND, INTERVAL '0 00:00:10' DAY TO SECOND))
  GROUP BY window_start, window_end, window_time, user_id
), averages AS (
  SELECT
    instant,
    user_id,
    team_name,
    CAST(short_total AS DOUBLE) / CAST(short_events AS DOUBLE) AS short_avg,
    CAST(SUM(new_total) OVER long_window AS DOUBLE) / CAST(SUM(new_events) OVER long_window AS DOUBLE) AS long_avg
  FROM recents
  WINDOW long_window AS (
    PARTITION BY user_id ORDER BY instant RANGE BETWEEN INTERVAL '0 00:00:55' DAY TO SECOND PRECEDING AND CURRENT ROW
  )
), moments AS (
  SELECT
    instant,
    user_id,
    team_name,
    short_avg,
    long_avg,
    short_avg / long_avg AS hotness,
    ROW_NUMBER() OVER (PARTITION BY window_start, window_end ORDER BY short_avg / long_avg DESC, user_id) AS place
  FROM TABLE(TUMBLE(TABLE averages, DESCRIPTOR(instant), INTERVAL '0 00:00:05' DAY TO SECOND))
  WHERE long_avg > 0
), hottest AS (
  -- Who is outranked by a whole board at the moment of its peak is outranked by the same players for as long as that peak is
  -- remembered: only a board's worth of each instant needs to be.
  SELECT instant, user_id, team_name, short_avg, long_avg, hotness
  FROM moments
  WHERE place <= 16
), remembered AS (
  SELECT
    *,
    ROW_NUMBER() OVER (
      PARTITION BY window_start, window_end, user_id ORDER BY hotness DESC, instant DESC
    ) AS nth
  FROM TABLE(HOP(TABLE hottest, DESCRIPTOR(instant), INTERVAL '0 00:00:05' DAY TO SECOND, INTERVAL '0 00:05:00' DAY TO SECOND))
), ranked AS (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY window_start, window_end ORDER BY hotness DESC, user_id) AS rnk
  FROM remembered
  WHERE nth = 1
)
SELECT
  1000 * EXTRACT(EPOCH FROM window_end) AS as_of,
  rnk,
  user_id,
  team_name,
  short_avg AS short_term_avg,
  long_avg AS long_term_avg,
  hotness AS peak_hotness
FROM ranked
WHERE rnk <= 16;

INSERT INTO `team-mvps`
-- Within a team the share orders like the total, so the team's best player is found by total first (a fast rank) and only
-- then joined with the team's total: joining first would make every event re-emit every member of the team.
-- A rank by share must take back what it said, and for that Flink reads and writes the keys of all it ranks with each change.
-- So the teams play qualifying rounds, in ever fewer groups: no rank has many to keep, however many teams there are. In fewer groups
-- each change costs more; in more, most teams qualify and are ranked again. Hashes of both signs make nearly twice as many groups.
WITH players AS (
  SELECT event_time_millis - MOD(event_time_millis, 3600000) AS season_start, team_id, user_id, SUM(score) AS player_total
  FROM `valid_events`
  GROUP BY event_time_millis - MOD(event_time_millis, 3600000), team_id, user_id
), teams AS (
  SELECT event_time_millis - MOD(event_time_millis, 3600000) AS season_start, team_id, MAX(team_name) AS team_name, SUM(score) AS team_total
  FROM `valid_events`
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
), best_of_512 AS (
  SELECT season_start, user_id, team_id, team_name, player_total, team_total, contrib_ratio
  FROM (
    SELECT
      *,
      ROW_NUMBER() OVER (
        PARTITION BY season_start, MOD(HASH_CODE(team_id), 512)
        ORDER BY contrib_ratio DESC, player_total DESC, team_id
      ) AS place
    FROM `mvps`
  )
  WHERE place <= 16
), best_of_64 AS (
  SELECT season_start, user_id, team_id, team_name, player_total, team_total, contrib_ratio
  FROM (
    SELECT
      *,
      ROW_NUMBER() OVER (
        PARTITION BY season_start, MOD(HASH_CODE(team_id), 64)
        ORDER BY contrib_ratio DESC, player_total DESC, team_id
      ) AS place
    FROM `best_of_512`
  )
  WHERE place <= 16
), best_of_8 AS (
  SELECT season_start, user_id, team_id, team_name, player_total, team_total, contrib_ratio
  FROM (
    SELECT
      *,
      ROW_NUMBER() OVER (
        PARTITION BY season_start, MOD(HASH_CODE(team_id), 8)
        ORDER BY contrib_ratio DESC, player_total DESC, team_id
      ) AS place
    FROM `best_of_64`
  )
  WHERE place <= 16
), clock AS (
  -- Shares also fall, so a rank can have had a holder that it never has in the replay after a crash, and that nothing then
  -- overwrites. With each tick, every 10 s, all are ranked and written again.
  SELECT MAX(EXTRACT(EPOCH FROM produced_at) / 10) AS tick
  FROM `raw_events`
), ranked AS (
  SELECT
    *,
    ROW_NUMBER() OVER (
      PARTITION BY season_start ORDER BY contrib_ratio DESC, player_total DESC, team_id
    ) AS rnk
  FROM best_of_8
  JOIN clock ON clock.tick >= 0
)
SELECT season_start, rnk, user_id, team_id, team_name, player_total, team_total, contrib_ratio
FROM ranked
WHERE rnk <= 16;

END;