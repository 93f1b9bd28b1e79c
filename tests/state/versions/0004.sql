BEGIN TRANSACTION;
CREATE TABLE about (
	name VARCHAR(40) NOT NULL, 
	value TEXT NOT NULL, 
	CONSTRAINT pk_about PRIMARY KEY (name)
);
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0004');
CREATE TABLE "alert" (
	identity VARCHAR(64) NOT NULL, 
	subject VARCHAR(10) NOT NULL, 
	name VARCHAR(300) NOT NULL, 
	rule TEXT NOT NULL, 
	grain VARCHAR(20) NOT NULL, 
	segment TEXT NOT NULL, 
	segment_value TEXT NOT NULL, 
	condition VARCHAR(64) NOT NULL, 
	state VARCHAR(10) NOT NULL, 
	since VARCHAR(40) NOT NULL, 
	held INTEGER NOT NULL, 
	cleared INTEGER NOT NULL, 
	reason TEXT NOT NULL, 
	period VARCHAR(40) NOT NULL, 
	value VARCHAR(80), 
	target VARCHAR(80), 
	episode INTEGER NOT NULL, 
	changed VARCHAR(27), 
	seen VARCHAR(27) NOT NULL, 
	fired VARCHAR(40) NOT NULL, 
	trail TEXT NOT NULL, 
	previous VARCHAR(80), 
	because TEXT NOT NULL, 
	CONSTRAINT pk_alert PRIMARY KEY (identity)
);
CREATE TABLE attempt (
	id INTEGER NOT NULL, 
	delivery VARCHAR(64) NOT NULL, 
	at VARCHAR(27) NOT NULL, 
	outcome VARCHAR(12) NOT NULL, 
	detail TEXT NOT NULL, 
	host VARCHAR(300) NOT NULL, 
	seconds INTEGER, 
	CONSTRAINT pk_attempt PRIMARY KEY (id), 
	CONSTRAINT fk_attempt_delivery FOREIGN KEY(delivery) REFERENCES delivery ("key")
);
CREATE TABLE delivery (
	"key" VARCHAR(64) NOT NULL, 
	run INTEGER, 
	job VARCHAR(300) NOT NULL, 
	kind VARCHAR(10) NOT NULL, 
	channel VARCHAR(300) NOT NULL, 
	notifier VARCHAR(300) NOT NULL, 
	recipient VARCHAR(320) NOT NULL, 
	subject TEXT NOT NULL, 
	logical_time VARCHAR(27) NOT NULL, 
	label TEXT NOT NULL, 
	owner VARCHAR(320) NOT NULL, 
	content BLOB, 
	digest VARCHAR(64) NOT NULL, 
	state VARCHAR(10) NOT NULL, 
	reason TEXT NOT NULL, 
	"where" TEXT NOT NULL, 
	attempts INTEGER NOT NULL, 
	begun BOOLEAN NOT NULL, 
	holder VARCHAR(80) NOT NULL, 
	lease VARCHAR(27), 
	due VARCHAR(27) NOT NULL, 
	deadline VARCHAR(27) NOT NULL, 
	on_unknown VARCHAR(4) NOT NULL, 
	"after" VARCHAR(64), 
	created VARCHAR(27) NOT NULL, 
	finished VARCHAR(27), 
	told BOOLEAN NOT NULL, 
	CONSTRAINT pk_delivery PRIMARY KEY ("key"), 
	CONSTRAINT fk_delivery_run FOREIGN KEY(run) REFERENCES run (id)
);
CREATE TABLE job (
	name VARCHAR(300) NOT NULL, 
	since VARCHAR(27) NOT NULL, 
	CONSTRAINT pk_job PRIMARY KEY (name)
);
CREATE TABLE lease (
	name VARCHAR(300) NOT NULL, 
	holder VARCHAR(80) NOT NULL, 
	until VARCHAR(27) NOT NULL, 
	CONSTRAINT pk_lease PRIMARY KEY (name)
);
CREATE TABLE notice_group (
	route VARCHAR(300) NOT NULL, 
	"group" VARCHAR(600) NOT NULL, 
	waiting VARCHAR(27), 
	sent VARCHAR(27), 
	CONSTRAINT pk_notice_group PRIMARY KEY (route, "group")
);
CREATE TABLE observation (
	id INTEGER NOT NULL, 
	kpi VARCHAR(300) NOT NULL, 
	grain VARCHAR(20) NOT NULL, 
	period VARCHAR(20) NOT NULL, 
	ends DATE, 
	segment TEXT NOT NULL, 
	segment_value TEXT NOT NULL, 
	revision INTEGER NOT NULL, 
	value VARCHAR(80), 
	base VARCHAR(80), 
	target VARCHAR(80), 
	target_high VARCHAR(80), 
	status VARCHAR(20) NOT NULL, 
	state VARCHAR(10) NOT NULL, 
	known VARCHAR(27) NOT NULL, 
	recorded VARCHAR(27) NOT NULL, 
	run INTEGER, until VARCHAR(27), 
	CONSTRAINT pk_observation PRIMARY KEY (id), 
	CONSTRAINT fk_observation_run FOREIGN KEY(run) REFERENCES run (id), 
	CONSTRAINT uq_observation_kpi UNIQUE (kpi, grain, period, segment, segment_value, revision)
);
CREATE TABLE run (
	id INTEGER NOT NULL, 
	job VARCHAR(300) NOT NULL, 
	logical_time VARCHAR(27) NOT NULL, 
	state VARCHAR(10) NOT NULL, 
	reason TEXT NOT NULL, 
	started VARCHAR(27) NOT NULL, 
	finished VARCHAR(27) NOT NULL, 
	host VARCHAR(300) NOT NULL, 
	CONSTRAINT pk_run PRIMARY KEY (id), 
	CONSTRAINT uq_run_job UNIQUE (job, logical_time)
);
CREATE TABLE silence (
	id INTEGER NOT NULL, 
	matchers TEXT NOT NULL, 
	starts VARCHAR(27) NOT NULL, 
	until VARCHAR(27) NOT NULL, 
	reason TEXT NOT NULL, 
	author VARCHAR(300) NOT NULL, 
	created VARCHAR(27) NOT NULL, 
	expired VARCHAR(27), 
	CONSTRAINT pk_silence PRIMARY KEY (id)
);
CREATE TABLE told (
	id INTEGER NOT NULL, 
	identity VARCHAR(64) NOT NULL, 
	episode INTEGER NOT NULL, 
	route VARCHAR(300) NOT NULL, 
	channel VARCHAR(300) NOT NULL, 
	recipient VARCHAR(320) NOT NULL, 
	delivery VARCHAR(64) NOT NULL, 
	at VARCHAR(27) NOT NULL, 
	ended VARCHAR(27), 
	CONSTRAINT pk_told PRIMARY KEY (id), 
	CONSTRAINT uq_told_identity UNIQUE (identity, episode, route, channel, recipient)
);
CREATE TABLE transition (
	id INTEGER NOT NULL, 
	identity VARCHAR(64) NOT NULL, 
	run INTEGER, 
	at VARCHAR(27) NOT NULL, 
	period VARCHAR(40) NOT NULL, 
	"before" VARCHAR(10) NOT NULL, 
	"after" VARCHAR(10) NOT NULL, 
	reason TEXT NOT NULL, 
	value VARCHAR(80), 
	target VARCHAR(80), 
	correction BOOLEAN NOT NULL, 
	silent BOOLEAN NOT NULL, 
	CONSTRAINT pk_transition PRIMARY KEY (id), 
	CONSTRAINT fk_transition_run FOREIGN KEY(run) REFERENCES run (id)
);
CREATE INDEX ix_delivery_state_due ON delivery (state, due);
CREATE INDEX ix_transition_identity ON transition (identity);
CREATE INDEX ix_attempt_delivery ON attempt (delivery);
CREATE INDEX ix_observation_until ON observation (kpi, until);
COMMIT;
