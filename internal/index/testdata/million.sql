-- ?1 requests a second apart up to ?2, in ns of Unix time, of which one in ten is refused and one in 100,000 unknown.
INSERT INTO reason VALUES (2, 'out of stock'), (3, 'nobody knows');
WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < ?1),
	r AS (SELECT n, ?2 - (?1 - n) * 1000000000 AS at, printf('PR-%03d-%07d', n * 7919 % 1000, n) AS request_id, printf('2257%015d', n) AS order_id,
		CASE WHEN n % 100000 = 0 THEN 'unknown' WHEN n % 10 = 0 THEN 'refused' ELSE 'placed' END AS state FROM s)
INSERT INTO request SELECT n, 't' || (n % 5), request_id, at, state, CASE state WHEN 'refused' THEN 'out_of_stock' WHEN 'unknown' THEN 'absent' ELSE 'placed' END,
	CASE state WHEN 'refused' THEN 2 WHEN 'unknown' THEN 3 ELSE 1 END, request_id || char(10) || order_id, 'default', 'key' || (n / 1000), order_id,
	'seller' || (n % 5000), '70000000' || (n % 90000), 1, 1, 1, '', at, at, at + 500000000, n, n, 0, 0, 1, 0, '' FROM r;
INSERT INTO side SELECT 1, app_keys, at, id FROM request;
INSERT INTO side SELECT 2, sellers, at, id FROM request;
INSERT INTO side SELECT 3, offers, at, id FROM request;
INSERT INTO side SELECT 4, order_ids, at, id FROM request;
INSERT INTO word (rowid, text) SELECT 2 * id, request_id FROM request;
INSERT INTO word (rowid, text) SELECT 2 * id + 1, order_ids FROM request;
INSERT INTO tally SELECT tenant, state, count(*) FROM request GROUP BY tenant, state;
INSERT INTO minute SELECT m, w, 60 FROM (SELECT DISTINCT at / 60000000000 AS m FROM request WHERE id > ?1 - 86400), (SELECT 'asked' AS w UNION SELECT 'placed' UNION SELECT 't72' UNION SELECT 't73' UNION SELECT 't80');
