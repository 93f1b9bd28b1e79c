WITH "customers" AS (
  SELECT
    1 AS "_row"
  FROM "sales"."customers" AS "customers"
)
SELECT
  '' AS "c0",
  CAST(COUNT(*) AS BIGINT) AS "c1",
  CAST(0 AS INT) AS "c2",
  CAST(0 AS INT) AS "c3",
  CAST(NULL AS DATE) AS "c4",
  CAST(NULL AS DATE) AS "c5",
  CAST(NULL AS DATE) AS "c6",
  CAST(NULL AS TIMESTAMPNTZ) AS "c7"
FROM "customers";

-- pull customers: id where all

WITH "customers" AS (
  SELECT
    "customers"."id"
  FROM "sales"."customers" AS "customers"
)
SELECT
TOP 4
  CAST("customers"."id" AS TEXT) AS "k0",
  CAST(COUNT(*) AS BIGINT) AS "n"
FROM "customers"
GROUP BY
  "customers"."id"
HAVING
  COUNT(*) > 1 OR (
    "customers"."id" IS NULL
  );

WITH "orders" AS (
  SELECT
    "orders"."day"
  FROM "sales"."orders" AS "orders"
  WHERE
    "orders"."day" <= CAST('2026-03-01' AS DATE) OR "orders"."day" IS NULL
)
SELECT
  '' AS "c0",
  CAST(COUNT(*) AS BIGINT) AS "c1",
  CAST(COUNT(CASE WHEN "orders"."day" IS NULL THEN 1 END) AS BIGINT) AS "c2",
  CAST(0 AS INT) AS "c3",
  MIN("orders"."day") AS "c4",
  MAX("orders"."day") AS "c5",
  CAST(NULL AS DATE) AS "c6",
  CAST(MAX("orders"."day") AS TIMESTAMPNTZ) AS "c7"
FROM "orders";

-- pull orders: day where all

WITH "orders" AS (
  SELECT
    "orders"."day",
    "orders"."id"
  FROM "sales"."orders" AS "orders"
  WHERE
    "orders"."day" <= CAST('2026-03-01' AS DATE) OR "orders"."day" IS NULL
)
SELECT
TOP 4
  CAST("orders"."id" AS TEXT) AS "k0",
  CAST(COUNT(*) AS BIGINT) AS "n"
FROM "orders"
GROUP BY
  "orders"."id"
HAVING
  COUNT(*) > 1 OR (
    "orders"."id" IS NULL
  );

-- pull orders: id, day where all

WITH "scan_1_periods"("span", "start", "stop", "unit") AS (
  SELECT
    CAST(0 AS BIGINT),
    CAST('2026-01-01 00:00:00' AS TIMESTAMPNTZ),
    CAST('2026-02-01 00:00:00' AS TIMESTAMPNTZ),
    CAST('2025-12-01 00:00:00' AS TIMESTAMPNTZ)
  UNION ALL
  SELECT
    CAST(0 AS BIGINT),
    CAST('2026-01-01 00:00:00' AS TIMESTAMPNTZ),
    CAST('2026-02-01 00:00:00' AS TIMESTAMPNTZ),
    CAST('2026-01-01 00:00:00' AS TIMESTAMPNTZ)
  UNION ALL
  SELECT
    CAST(1 AS BIGINT),
    CAST('2026-02-01 00:00:00' AS TIMESTAMPNTZ),
    CAST('2026-03-01 00:00:00' AS TIMESTAMPNTZ),
    CAST('2026-01-01 00:00:00' AS TIMESTAMPNTZ)
  UNION ALL
  SELECT
    CAST(1 AS BIGINT),
    CAST('2026-02-01 00:00:00' AS TIMESTAMPNTZ),
    CAST('2026-03-01 00:00:00' AS TIMESTAMPNTZ),
    CAST('2026-02-01 00:00:00' AS TIMESTAMPNTZ)
  UNION ALL
  SELECT
    CAST(2 AS BIGINT),
    CAST('2026-03-01 00:00:00' AS TIMESTAMPNTZ),
    CAST('2026-04-01 00:00:00' AS TIMESTAMPNTZ),
    CAST('2026-02-01 00:00:00' AS TIMESTAMPNTZ)
  UNION ALL
  SELECT
    CAST(2 AS BIGINT),
    CAST('2026-03-01 00:00:00' AS TIMESTAMPNTZ),
    CAST('2026-04-01 00:00:00' AS TIMESTAMPNTZ),
    CAST('2026-03-01 00:00:00' AS TIMESTAMPNTZ)
  UNION ALL
  SELECT
    CAST(3 AS BIGINT),
    CAST('2026-02-01 00:00:00' AS TIMESTAMPNTZ),
    CAST('2026-02-01 00:00:00.000001' AS TIMESTAMPNTZ),
    CAST('2026-01-01 00:00:00' AS TIMESTAMPNTZ)
  UNION ALL
  SELECT
    CAST(3 AS BIGINT),
    CAST('2026-02-01 00:00:00' AS TIMESTAMPNTZ),
    CAST('2026-02-01 00:00:00.000001' AS TIMESTAMPNTZ),
    CAST('2026-02-01 00:00:00' AS TIMESTAMPNTZ)
), "customers" AS (
  SELECT
    "customers"."id",
    "customers"."tier"
  FROM "sales"."customers" AS "customers"
), "orders_0" AS (
  SELECT
    "orders"."amount",
    "orders"."channel",
    "orders"."customer_id",
    "orders"."day"
  FROM "sales"."orders" AS "orders"
  WHERE
    "orders"."day" <= CAST('2026-03-01' AS DATE) OR "orders"."day" IS NULL
), "orders" AS (
  SELECT
    "orders"."amount",
    "orders"."channel",
    "orders"."customer_id",
    "orders"."day",
    CAST("orders"."day" AS TIMESTAMPNTZ) + INTERVAL '30' DAY AS "due",
    (
      "orders"."channel" || '-'
    ) || CAST("orders"."customer_id" AS TEXT) AS "label"
  FROM "orders_0" AS "orders"
)
SELECT
  CAST("period"."span" AS INT) AS "span",
  CASE
    WHEN GROUPING(COALESCE("orders"."channel", '(none)')) = 0
    THEN 'channel'
    WHEN GROUPING(COALESCE("customer"."tier", '(none)')) = 0
    THEN 'tier'
    ELSE ''
  END AS "segment",
  COALESCE("orders"."channel", '(none)') AS "by_channel",
  COALESCE("customer"."tier", '(none)') AS "by_tier",
  CAST(COUNT(*) AS BIGINT) AS "rows",
  CAST(SUM(CASE WHEN "orders"."channel" = 'web' THEN "orders"."amount" END) AS DECIMAL(38, 2)) AS "m0",
  CAST(COUNT(CASE WHEN "orders"."channel" = 'web' THEN "orders"."amount" END) AS BIGINT) AS "n0",
  CAST(COUNT(
    CASE
      WHEN DATEDIFF(CAST("orders"."due" AS DATE), "orders"."day", DAY) > 3 AND "orders"."label" LIKE 'w%'
      THEN 1
    END
  ) AS BIGINT) AS "m1",
  CAST(COUNT(
    CASE
      WHEN DATEDIFF(CAST("orders"."due" AS DATE), "orders"."day", DAY) > 3 AND "orders"."label" LIKE 'w%'
      THEN 1
    END
  ) AS BIGINT) AS "n1"
FROM "orders"
LEFT JOIN "customers" AS "customer"
  ON "customer"."id" = "orders"."customer_id"
JOIN "scan_1_periods" AS "period"
  ON TIMESTAMP_TRUNC(CAST("orders"."day" AS TIMESTAMPNTZ), MONTH) = "period"."unit"
  AND CAST("orders"."day" AS TIMESTAMPNTZ) >= "period"."start"
  AND CAST("orders"."day" AS TIMESTAMPNTZ) < "period"."stop"
WHERE
  "orders"."day" >= CAST('2026-01-01' AS DATE) AND "orders"."day" <= CAST('2026-04-01' AS DATE)
GROUP BY
  GROUPING SETS (
    ("period"."span"),
    ("period"."span", COALESCE("orders"."channel", '(none)')),
    ("period"."span", COALESCE("customer"."tier", '(none)'))
  );

WITH "scan_2_periods"("span", "start", "stop", "unit") AS (
  SELECT
    CAST(0 AS BIGINT),
    CAST('2026-01-01 00:00:00' AS TIMESTAMPNTZ),
    CAST('2026-02-01 00:00:00' AS TIMESTAMPNTZ),
    CAST('2025-12-01 00:00:00' AS TIMESTAMPNTZ)
  UNION ALL
  SELECT
    CAST(0 AS BIGINT),
    CAST('2026-01-01 00:00:00' AS TIMESTAMPNTZ),
    CAST('2026-02-01 00:00:00' AS TIMESTAMPNTZ),
    CAST('2026-01-01 00:00:00' AS TIMESTAMPNTZ)
  UNION ALL
  SELECT
    CAST(1 AS BIGINT),
    CAST('2026-02-01 00:00:00' AS TIMESTAMPNTZ),
    CAST('2026-03-01 00:00:00' AS TIMESTAMPNTZ),
    CAST('2026-01-01 00:00:00' AS TIMESTAMPNTZ)
  UNION ALL
  SELECT
    CAST(1 AS BIGINT),
    CAST('2026-02-01 00:00:00' AS TIMESTAMPNTZ),
    CAST('2026-03-01 00:00:00' AS TIMESTAMPNTZ),
    CAST('2026-02-01 00:00:00' AS TIMESTAMPNTZ)
  UNION ALL
  SELECT
    CAST(2 AS BIGINT),
    CAST('2026-03-01 00:00:00' AS TIMESTAMPNTZ),
    CAST('2026-04-01 00:00:00' AS TIMESTAMPNTZ),
    CAST('2026-02-01 00:00:00' AS TIMESTAMPNTZ)
  UNION ALL
  SELECT
    CAST(2 AS BIGINT),
    CAST('2026-03-01 00:00:00' AS TIMESTAMPNTZ),
    CAST('2026-04-01 00:00:00' AS TIMESTAMPNTZ),
    CAST('2026-03-01 00:00:00' AS TIMESTAMPNTZ)
  UNION ALL
  SELECT
    CAST(3 AS BIGINT),
    CAST('2026-02-01 00:00:00' AS TIMESTAMPNTZ),
    CAST('2026-02-01 00:00:00.000001' AS TIMESTAMPNTZ),
    CAST('2026-01-01 00:00:00' AS TIMESTAMPNTZ)
  UNION ALL
  SELECT
    CAST(3 AS BIGINT),
    CAST('2026-02-01 00:00:00' AS TIMESTAMPNTZ),
    CAST('2026-02-01 00:00:00.000001' AS TIMESTAMPNTZ),
    CAST('2026-02-01 00:00:00' AS TIMESTAMPNTZ)
), "orders" AS (
  SELECT
    "orders"."amount",
    "orders"."day"
  FROM "sales"."orders" AS "orders"
  WHERE
    "orders"."day" <= CAST('2026-03-01' AS DATE) OR "orders"."day" IS NULL
)
SELECT
  CAST("period"."span" AS INT) AS "span",
  '' AS "segment",
  CAST(COUNT(*) AS BIGINT) AS "rows",
  CAST(PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY
    CAST(CAST("orders"."amount" AS DOUBLE PRECISION) AS DOUBLE PRECISION) NULLS LAST) AS DOUBLE PRECISION) AS "m0",
  CAST(COUNT("orders"."amount") AS BIGINT) AS "n0"
FROM "orders"
JOIN "scan_2_periods" AS "period"
  ON TIMESTAMP_TRUNC(CAST("orders"."day" AS TIMESTAMPNTZ), MONTH) = "period"."unit"
  AND CAST("orders"."day" AS TIMESTAMPNTZ) >= "period"."start"
  AND CAST("orders"."day" AS TIMESTAMPNTZ) < "period"."stop"
WHERE
  "orders"."day" >= CAST('2026-01-01' AS DATE) AND "orders"."day" <= CAST('2026-04-01' AS DATE)
GROUP BY
  "period"."span";

WITH "scan_3_periods"("span", "start", "stop", "before", "unit") AS (
  SELECT
    CAST(0 AS BIGINT),
    CAST('2026-02-01 00:00:00' AS TIMESTAMPNTZ),
    CAST('2026-03-01 00:00:00' AS TIMESTAMPNTZ),
    CAST('2026-01-01 00:00:00' AS TIMESTAMPNTZ),
    CAST('2026-01-01 00:00:00' AS TIMESTAMPNTZ)
  UNION ALL
  SELECT
    CAST(0 AS BIGINT),
    CAST('2026-02-01 00:00:00' AS TIMESTAMPNTZ),
    CAST('2026-03-01 00:00:00' AS TIMESTAMPNTZ),
    CAST('2026-01-01 00:00:00' AS TIMESTAMPNTZ),
    CAST('2026-02-01 00:00:00' AS TIMESTAMPNTZ)
  UNION ALL
  SELECT
    CAST(1 AS BIGINT),
    CAST('2026-03-01 00:00:00' AS TIMESTAMPNTZ),
    CAST('2026-04-01 00:00:00' AS TIMESTAMPNTZ),
    CAST('2026-02-01 00:00:00' AS TIMESTAMPNTZ),
    CAST('2026-02-01 00:00:00' AS TIMESTAMPNTZ)
  UNION ALL
  SELECT
    CAST(1 AS BIGINT),
    CAST('2026-03-01 00:00:00' AS TIMESTAMPNTZ),
    CAST('2026-04-01 00:00:00' AS TIMESTAMPNTZ),
    CAST('2026-02-01 00:00:00' AS TIMESTAMPNTZ),
    CAST('2026-03-01 00:00:00' AS TIMESTAMPNTZ)
  UNION ALL
  SELECT
    CAST(2 AS BIGINT),
    CAST('2026-02-01 00:00:00' AS TIMESTAMPNTZ),
    CAST('2026-02-01 00:00:00.000001' AS TIMESTAMPNTZ),
    CAST('2026-01-01 00:00:00' AS TIMESTAMPNTZ),
    CAST('2026-01-01 00:00:00' AS TIMESTAMPNTZ)
  UNION ALL
  SELECT
    CAST(2 AS BIGINT),
    CAST('2026-02-01 00:00:00' AS TIMESTAMPNTZ),
    CAST('2026-02-01 00:00:00.000001' AS TIMESTAMPNTZ),
    CAST('2026-01-01 00:00:00' AS TIMESTAMPNTZ),
    CAST('2026-02-01 00:00:00' AS TIMESTAMPNTZ)
), "orders" AS (
  SELECT
    "orders"."customer_id",
    "orders"."day"
  FROM "sales"."orders" AS "orders"
  WHERE
    "orders"."day" <= CAST('2026-03-01' AS DATE) OR "orders"."day" IS NULL
)
SELECT
  CAST("entities"."span" AS INT) AS "span",
  "entities"."segment",
  CAST(COUNT(*) AS BIGINT) AS "rows",
  CAST(COUNT(*) AS BIGINT) AS "m0",
  CAST(COUNT(*) AS BIGINT) AS "n0"
FROM (
  SELECT
    "period"."span",
    '' AS "segment",
    MAX(CASE WHEN CAST("orders"."day" AS TIMESTAMPNTZ) >= "period"."start" THEN 1 ELSE 0 END) = 1 AS "now",
    MAX(CASE WHEN CAST("orders"."day" AS TIMESTAMPNTZ) < "period"."start" THEN 1 ELSE 0 END) = 1 AS "before"
  FROM "orders"
  JOIN "scan_3_periods" AS "period"
    ON TIMESTAMP_TRUNC(CAST("orders"."day" AS TIMESTAMPNTZ), MONTH) = "period"."unit"
    AND CAST("orders"."day" AS TIMESTAMPNTZ) >= "period"."before"
    AND CAST("orders"."day" AS TIMESTAMPNTZ) < "period"."stop"
  WHERE
    NOT (
      "orders"."customer_id" IS NULL
    )
    AND "orders"."day" >= CAST('2026-01-01' AS DATE)
    AND "orders"."day" <= CAST('2026-04-01' AS DATE)
  GROUP BY
    "period"."span",
    "orders"."customer_id"
) AS "entities"
WHERE
  "entities"."before" AND "entities"."now"
GROUP BY
  "entities"."span",
  "entities"."segment";

-- pull customers: id, tier where all

-- pull orders: id, day, customer_id, channel, amount where all
