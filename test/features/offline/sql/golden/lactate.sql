SELECT * FROM (
  WITH spine_rows AS (
    SELECT row, patient, toUnixTimestamp64Milli(as_of) AS as_of, if(through < 0, toInt64(4611686018427387904), toInt64(through)) AS through FROM spine
  ),
  asked_patients AS (
    SELECT DISTINCT patient FROM spine_rows
  ),
  forgotten_patients AS (
    SELECT patient, arraySort(groupArrayIf(a + 86400000, action = 'discharge' AND next >= a + 86400000)) AS at
    FROM (SELECT patient, action, a, leadInFrame(a, 1, toInt64(4611686018427387904)) OVER (PARTITION BY patient ORDER BY o ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS next FROM (SELECT patient, action, toUnixTimestamp64Milli(arrival_time) AS a, toInt64(offset) AS o FROM encounters FINAL WHERE action IN ('admit', 'discharge') AND patient IN (SELECT patient FROM asked_patients)))
    GROUP BY patient
  ),
  lines AS (
    SELECT p.patient AS patient, p.patient AS key, toInt64(-1) AS joined, f.at AS forgotten, f.at AS key_forgotten FROM asked_patients AS p LEFT JOIN forgotten_patients AS f ON f.patient = p.patient
  ),
  told AS MATERIALIZED (
    SELECT l.patient AS patient, toString(r.concept) AS concept, least(toUnixTimestamp64Milli(r.event_time), toUnixTimestamp64Milli(r.arrival_time)) AS t, r.value AS v, r.status != 'withdrawn' AND r.quality = 'valid' AS good,
      r.kind = 'device' AND r.result_id = '' AS dense, r.result_id AS id, l.forgotten AS forgotten, l.joined >= 0 AND toUnixTimestamp64Milli(r.arrival_time) <= l.joined AS block, greatest(toUnixTimestamp64Milli(r.arrival_time), l.joined) AS ka, if(l.joined >= 0, toInt64(-1), toInt64(r.offset)) AS ko,
      if(block, -l.joined, toUnixTimestamp64Milli(r.arrival_time)) AS lv, toInt64(r.offset) * 65536 + toInt64(r.index) AS o, toInt64(arrayCount(x -> x <= ka, l.forgotten)) AS gen,
      NOT block OR arrayCount(x -> x <= l.joined, l.key_forgotten) = arrayCount(x -> x <= toUnixTimestamp64Milli(r.arrival_time), l.key_forgotten) AS held
    FROM observations AS r FINAL INNER JOIN lines AS l ON l.key = r.patient
    WHERE r.concept IN ('lactate') AND r.patient IN (SELECT key FROM lines)
  ),
  dense_told AS (
    SELECT * EXCEPT (forgotten), max(t) OVER (PARTITION BY patient, concept, gen ORDER BY ka, ko, lv, o ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS newest FROM told WHERE dense AND good AND held
  ),
  dense_near AS (
    SELECT *, row_number() OVER (PARTITION BY patient, concept, gen, intDiv(t, 250) ORDER BY ka, ko, lv, o ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS nth FROM dense_told WHERE t >= newest - 3600000
  ),
  words AS (
    SELECT * FROM (
      SELECT *, lagInFrame(good, 1, toUInt8(0)) OVER w AS was, lagInFrame(t, 1, toInt64(0)) OVER w AS was_t, lagInFrame(v, 1, toFloat64(0)) OVER w AS was_v
      FROM (SELECT * EXCEPT (forgotten), arrayJoin([(1, gen)]) AS life FROM told WHERE NOT dense AND id != '' AND (held OR tupleElement(life, 1) = 2)) WINDOW w AS (PARTITION BY patient, concept, id, life ORDER BY ka, ko, lv, o ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
    ) WHERE good != was OR (good AND (t != was_t OR v != was_v))
  ),
  kept_words AS (
    SELECT *, leadInFrame(ka, 1, toInt64(4611686018427387904)) OVER w AS ta, leadInFrame(ko, 1, toInt64(0)) OVER w AS tko, anyLastIf((lv, o), NOT was) OVER (PARTITION BY patient, concept, id, life ORDER BY ka, ko, lv, o ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS born
    FROM words WINDOW w AS (PARTITION BY patient, concept, id, life ORDER BY ka, ko, lv, o ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
  ),
  readings AS MATERIALIZED (
    SELECT patient, concept, t, 0 AS kept, 3 AS sees, lv, o, v, ka, ko, toInt64(4611686018427387904) AS ta, toInt64(0) AS tko, gen, lv AS blv, o AS bo FROM dense_near WHERE t > newest OR nth = 1
    UNION ALL
    SELECT patient, concept, t, 1 AS kept, 3 AS sees, lv, o, v, ka, ko, toInt64(4611686018427387904) AS ta, toInt64(0) AS tko, if(held, gen, toInt64(-1)) AS gen, lv AS blv, o AS bo FROM told WHERE NOT dense AND id = '' AND good
    UNION ALL
    SELECT patient, concept, t, 1 AS kept, tupleElement(life, 1) AS sees, lv, o, v, ka, ko, ta, tko, if(held, gen, toInt64(-1)) AS gen, tupleElement(born, 1) AS blv, tupleElement(born, 2) AS bo FROM kept_words WHERE good
  ),
  asked AS (
    SELECT s.row AS row, s.patient AS patient, s.as_of AS as_of, s.through AS through, toInt64(arrayCount(x -> x <= s.as_of, f.at)) AS gen FROM spine_rows AS s LEFT JOIN forgotten_patients AS f ON f.patient = s.patient
  ),
  sought AS (
    SELECT row, patient, as_of, through, gen, concept, reach, piece FROM asked
    ARRAY JOIN ['lactate'] AS concept, [toInt64(86400000)] AS reach, [toInt64(43200000)] AS width
    ARRAY JOIN range(toUInt32(intDiv(as_of, width) - intDiv(as_of - reach, width) + 1)) AS back
    ARRAY JOIN [intDiv(as_of, width) - toInt64(back)] AS piece
  ),
  gathered AS (
    SELECT s.row AS row, r.concept AS concept, arraySort(groupArray((r.t, r.kept, r.lv, r.o, r.v, r.gen = s.gen AND r.sees != 2, 0))) AS found
    FROM readings AS r INNER JOIN sought AS s ON r.patient = s.patient AND r.concept = s.concept AND intDiv(r.t, transform(r.concept, ['lactate'], [toInt64(43200000)], toInt64(0))) = s.piece
    WHERE r.t >= s.as_of - s.reach AND (r.ka < s.as_of OR (r.ka = s.as_of AND r.ko < s.through)) AND NOT (r.ta < s.as_of OR (r.ta = s.as_of AND r.tko < s.through))
      AND ((r.gen = s.gen AND r.sees != 2) OR (0)) AND (r.kept = 1 OR r.t >= s.as_of - transform(r.concept, ['lactate'], [toInt64(0)], toInt64(0)))
    GROUP BY row, concept
  ),
  windows AS (
    SELECT row, anyIf(found, concept = 'lactate') AS `readings lactate`
    FROM gathered GROUP BY row
  ),
  lasting AS (
    SELECT row, concept, [first, second] AS two FROM (
      SELECT row, concept, is_reading, max(x) OVER (PARTITION BY patient, concept, gen ORDER BY ka, ko, is_reading, lv, o ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS first, max(if(x < before, x, before)) OVER (PARTITION BY patient, concept, gen ORDER BY ka, ko, is_reading, lv, o ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS second
      FROM (
        SELECT *, max(x) OVER (PARTITION BY patient, concept, gen ORDER BY ka, ko, is_reading, lv, o ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before FROM (
          SELECT toUInt64(0) AS row, r.patient AS patient, r.concept AS concept, r.gen AS gen, r.ka AS ka, r.ko AS ko, r.lv AS lv, r.o AS o, toUInt8(1) AS is_reading, (r.t, r.lv, r.o, r.v) AS x FROM readings AS r
          WHERE r.ta = 4611686018427387904 AND r.sees != 2 AND r.concept IN ['lactate']
          UNION ALL
          SELECT toUInt64(row) AS row, patient, arrayJoin(['lactate']) AS concept, gen, as_of AS ka, through AS ko, toInt64(0) AS lv, toInt64(0) AS o, toUInt8(0) AS is_reading, (toInt64(0), toInt64(0), toInt64(0), toFloat64(0)) AS x FROM asked
        )
      )
    ) WHERE NOT is_reading
  ),
  passing AS (
    SELECT s.row AS row, r.concept AS concept, groupArray((r.t, r.lv, r.o, r.v)) AS two
    FROM readings AS r INNER JOIN asked AS s ON r.patient = s.patient AND r.gen = s.gen
    WHERE r.sees != 2 AND r.ta < 4611686018427387904 AND r.concept IN ['lactate'] AND (r.ka < s.as_of OR (r.ka = s.as_of AND r.ko < s.through)) AND NOT (r.ta < s.as_of OR (r.ta = s.as_of AND r.tko < s.through))
    GROUP BY row, concept
  ),
  newest_two AS (
    SELECT row, concept, arrayReverseSort(arrayFilter(x -> tupleElement(x, 1) > 0, groupArrayArray(two))) AS found FROM (SELECT row, concept, two FROM lasting UNION ALL SELECT row, concept, two FROM passing) GROUP BY row, concept
  ),
  newest AS (
    SELECT row, anyIf(found, concept = 'lactate') AS `newest lactate`
    FROM newest_two GROUP BY row
  )
  SELECT row, toFloat64(c3) AS `lactateMean`, if(isNaN(c3), nan, if(c4 = inf, toFloat64(as_of), c4)) AS `lactateMean time`,
    toFloat64(c5) AS `lactateAge`, if(isNaN(c5), nan, if(c6 = inf, toFloat64(as_of), c6)) AS `lactateAge time`
  FROM (
    SELECT *, if(length(c1) = 0, nan, arrayAvg(c2)) AS c3,
      if(empty(c0), inf, toFloat64(tupleElement(c0[-1], 1))) AS c4
    FROM (
      SELECT *, tupleElement(c0, 1) AS c1,
        tupleElement(c0, 5) AS c2
      FROM (
        SELECT *, arrayFilter(x -> tupleElement(x, 6) AND tupleElement(x, 2) = 1 AND tupleElement(x, 1) >= as_of - 86400000 AND tupleElement(x, 1) <= as_of, `readings lactate`) AS c0,
          if(empty(`newest lactate`), nan, (as_of - tupleElement(`newest lactate`[1], 1)) / 3600000) AS c5,
          if(empty(`newest lactate`), inf, toFloat64(tupleElement(`newest lactate`[1], 1))) AS c6
        FROM (
          SELECT a.row AS row, a.as_of AS as_of, windows.* EXCEPT (row), newest.* EXCEPT (row)
          FROM asked AS a LEFT JOIN windows AS windows ON windows.row = a.row LEFT JOIN newest AS newest ON newest.row = a.row
        )
      )
    )
  )
  SETTINGS join_use_nulls = 0, enable_materialized_cte = 1
)
