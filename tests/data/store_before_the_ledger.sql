BEGIN TRANSACTION;
CREATE TABLE alerts (
	fingerprint VARCHAR(64) NOT NULL,
	status VARCHAR(16) NOT NULL,
	starts_at VARCHAR(27) NOT NULL,
	received_at VARCHAR(27) NOT NULL,
	labels JSON NOT NULL,
	annotations JSON NOT NULL,
	PRIMARY KEY (fingerprint)
);
CREATE TABLE costs (
	day DATE NOT NULL,
	workload VARCHAR(512) NOT NULL,
	current_cycles INTEGER NOT NULL,
	current_usd_per_hour DOUBLE NOT NULL,
	proposed_cycles INTEGER NOT NULL,
	proposed_usd_per_hour DOUBLE NOT NULL,
	reason TEXT,
	PRIMARY KEY (day, workload)
);
INSERT INTO "costs" VALUES('2026-03-02','shop:ranker',1,0.768,1,0.48,NULL);
CREATE TABLE cycles (
	id INTEGER NOT NULL,
	at VARCHAR(27) NOT NULL,
	duration_s DOUBLE NOT NULL,
	acts INTEGER NOT NULL,
	holds INTEGER NOT NULL,
	kept INTEGER NOT NULL,
	failure TEXT,
	PRIMARY KEY (id)
);
INSERT INTO "cycles" VALUES(1,'2026-03-02T12:00:00.000000Z',2.0,2,1,0,NULL);
CREATE TABLE events (
	"key" VARCHAR(512) NOT NULL,
	severity VARCHAR(16) NOT NULL,
	summary TEXT NOT NULL,
	detail TEXT NOT NULL,
	since VARCHAR(27) NOT NULL,
	PRIMARY KEY ("key")
);
INSERT INTO "events" VALUES('source','warning','s','d','2026-03-02T12:00:00.000000Z');
CREATE TABLE recommendations (
	id VARCHAR(64) NOT NULL,
	workload VARCHAR(512) NOT NULL,
	kind VARCHAR(8) NOT NULL,
	created_at VARCHAR(27) NOT NULL,
	valid_until VARCHAR(27) NOT NULL,
	observed_at VARCHAR(27) NOT NULL,
	last_seen JSON NOT NULL,
	inputs_sha256 VARCHAR(64) NOT NULL,
	saving_usd_per_month FLOAT,
	body TEXT NOT NULL,
	latest BOOLEAN NOT NULL,
	decision VARCHAR(16) NOT NULL,
	decided_at VARCHAR(27),
	held_since VARCHAR(27),
	held_reason TEXT,
	PRIMARY KEY (id)
);
INSERT INTO "recommendations" VALUES('f8085dd11423c410','shop:ranker','act','2026-03-02T11:00:00.000000Z','2026-03-02T17:00:00.000000Z','2026-03-02T11:00:00.000000Z','{"request_rate": "2026-03-02T10:59:00+00:00"}','abababababababababababababababababababababababababababababababab',210.24,'{"kind": "act", "id": "f8085dd11423c410", "workload": "shop:ranker", "created_at": "2026-03-02T11:00:00+00:00", "valid_until": "2026-03-02T17:00:00+00:00", "current": {"replicas": 8, "mean_replicas": 8.0, "mode": "dedicated", "purchase": {"reserved": 0.0, "on_demand": 8.0, "spot": 0.0}, "offer": "m5.large", "usd_per_month": 560.64}, "reasons": [{"code": "forecast", "detail": "23 requests/s at most", "before": null, "after": null}, {"code": "mode_chosen", "detail": "dedicated on m5.large costs least", "before": null, "after": null}, {"code": "step_down", "detail": "at most half at once", "before": "3", "after": "5"}], "evidence": {"inputs_sha256": "abababababababababababababababababababababababababababababababab", "forecast": {"origin": "2026-03-02T12:00:00Z", "model": "combined", "step_s": 3600.0, "plan_quantile": 0.75, "mean_rps": [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 12.0, 13.0, 14.0, 15.0, 16.0, 17.0, 18.0, 19.0, 20.0, 21.0, 22.0, 23.0], "quantiles_rps": {"p50": [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 12.0, 13.0, 14.0, 15.0, 16.0, 17.0, 18.0, 19.0, 20.0, 21.0, 22.0, 23.0], "p99": [0.0, 2.0, 4.0, 6.0, 8.0, 10.0, 12.0, 14.0, 16.0, 18.0, 20.0, 22.0, 24.0, 26.0, 28.0, 30.0, 32.0, 34.0, 36.0, 38.0, 40.0, 42.0, 44.0, 46.0]}}, "backtest": {"scoreboard": [{"model": "combined", "mae": 1.5}]}, "replay": {"rows": [{"policy": "trimtab", "usd": 3.5}]}, "capacity": {"rate_rps": 4.0, "time_to_ready_s": 300.0}, "prices": {}, "break_even": {}}, "plan": {"proposed": {"replicas": 5, "mean_replicas": 5.0, "mode": "dedicated", "purchase": {"reserved": 0.0, "on_demand": 5.0, "spot": 0.0}, "offer": "m5.large", "usd_per_month": 350.4}, "usd_per_month_low": 300.0, "usd_per_month_high": 420.0, "calendar": [{"at": "2026-03-02T11:00:00+00:00", "replicas": 5}, {"at": "2026-03-02T19:00:00+00:00", "replicas": 2}], "schedule": [], "reasons": [{"code": "mode_chosen", "detail": "dedicated on m5.large costs least", "before": null, "after": null}]}, "saving": {"usd_per_month": 210.24, "low": 105.12, "high": 231.26400000000004}, "confidence": 0.9}',0,'accepted','2026-03-02T11:30:00.000000Z',NULL,NULL);
INSERT INTO "recommendations" VALUES('3179f3ae193b1cda','shop:tagger','act','2026-03-02T11:00:00.000000Z','2026-03-02T17:00:00.000000Z','2026-03-02T11:00:00.000000Z','{"request_rate": "2026-03-02T10:59:00+00:00"}','abababababababababababababababababababababababababababababababab',210.24,'{"kind": "act", "id": "3179f3ae193b1cda", "workload": "shop:tagger", "created_at": "2026-03-02T11:00:00+00:00", "valid_until": "2026-03-02T17:00:00+00:00", "current": {"replicas": 8, "mean_replicas": 8.0, "mode": "dedicated", "purchase": {"reserved": 0.0, "on_demand": 8.0, "spot": 0.0}, "offer": "m5.large", "usd_per_month": 560.64}, "reasons": [{"code": "forecast", "detail": "23 requests/s at most", "before": null, "after": null}, {"code": "mode_chosen", "detail": "dedicated on m5.large costs least", "before": null, "after": null}, {"code": "step_down", "detail": "at most half at once", "before": "3", "after": "5"}], "evidence": {"inputs_sha256": "abababababababababababababababababababababababababababababababab", "forecast": {"origin": "2026-03-02T12:00:00Z", "model": "combined", "step_s": 3600.0, "plan_quantile": 0.75, "mean_rps": [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 12.0, 13.0, 14.0, 15.0, 16.0, 17.0, 18.0, 19.0, 20.0, 21.0, 22.0, 23.0], "quantiles_rps": {"p50": [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 12.0, 13.0, 14.0, 15.0, 16.0, 17.0, 18.0, 19.0, 20.0, 21.0, 22.0, 23.0], "p99": [0.0, 2.0, 4.0, 6.0, 8.0, 10.0, 12.0, 14.0, 16.0, 18.0, 20.0, 22.0, 24.0, 26.0, 28.0, 30.0, 32.0, 34.0, 36.0, 38.0, 40.0, 42.0, 44.0, 46.0]}}, "backtest": {"scoreboard": [{"model": "combined", "mae": 1.5}]}, "replay": {"rows": [{"policy": "trimtab", "usd": 3.5}]}, "capacity": {"rate_rps": 4.0, "time_to_ready_s": 300.0}, "prices": {}, "break_even": {}}, "plan": {"proposed": {"replicas": 5, "mean_replicas": 5.0, "mode": "dedicated", "purchase": {"reserved": 0.0, "on_demand": 5.0, "spot": 0.0}, "offer": "m5.large", "usd_per_month": 350.4}, "usd_per_month_low": 300.0, "usd_per_month_high": 420.0, "calendar": [{"at": "2026-03-02T11:00:00+00:00", "replicas": 5}, {"at": "2026-03-02T19:00:00+00:00", "replicas": 2}], "schedule": [], "reasons": [{"code": "mode_chosen", "detail": "dedicated on m5.large costs least", "before": null, "after": null}]}, "saving": {"usd_per_month": 210.24, "low": 105.12, "high": 231.26400000000004}, "confidence": 0.9}',0,'open',NULL,NULL,NULL);
INSERT INTO "recommendations" VALUES('323f638b4c72b008','shop:ranker','act','2026-03-02T12:00:00.000000Z','2026-03-02T18:00:00.000000Z','2026-03-02T12:00:00.000000Z','{"request_rate": "2026-03-02T11:59:00+00:00"}','abababababababababababababababababababababababababababababababab',210.24,'{"kind": "act", "id": "323f638b4c72b008", "workload": "shop:ranker", "created_at": "2026-03-02T12:00:00+00:00", "valid_until": "2026-03-02T18:00:00+00:00", "current": {"replicas": 8, "mean_replicas": 8.0, "mode": "dedicated", "purchase": {"reserved": 0.0, "on_demand": 8.0, "spot": 0.0}, "offer": "m5.large", "usd_per_month": 560.64}, "reasons": [{"code": "forecast", "detail": "23 requests/s at most", "before": null, "after": null}, {"code": "mode_chosen", "detail": "dedicated on m5.large costs least", "before": null, "after": null}, {"code": "step_down", "detail": "at most half at once", "before": "3", "after": "5"}], "evidence": {"inputs_sha256": "abababababababababababababababababababababababababababababababab", "forecast": {"origin": "2026-03-02T12:00:00Z", "model": "combined", "step_s": 3600.0, "plan_quantile": 0.75, "mean_rps": [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 12.0, 13.0, 14.0, 15.0, 16.0, 17.0, 18.0, 19.0, 20.0, 21.0, 22.0, 23.0], "quantiles_rps": {"p50": [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 12.0, 13.0, 14.0, 15.0, 16.0, 17.0, 18.0, 19.0, 20.0, 21.0, 22.0, 23.0], "p99": [0.0, 2.0, 4.0, 6.0, 8.0, 10.0, 12.0, 14.0, 16.0, 18.0, 20.0, 22.0, 24.0, 26.0, 28.0, 30.0, 32.0, 34.0, 36.0, 38.0, 40.0, 42.0, 44.0, 46.0]}}, "backtest": {"scoreboard": [{"model": "combined", "mae": 1.5}]}, "replay": {"rows": [{"policy": "trimtab", "usd": 3.5}]}, "capacity": {"rate_rps": 4.0, "time_to_ready_s": 300.0}, "prices": {}, "break_even": {}}, "plan": {"proposed": {"replicas": 5, "mean_replicas": 5.0, "mode": "dedicated", "purchase": {"reserved": 0.0, "on_demand": 5.0, "spot": 0.0}, "offer": "m5.large", "usd_per_month": 350.4}, "usd_per_month_low": 300.0, "usd_per_month_high": 420.0, "calendar": [{"at": "2026-03-02T12:00:00+00:00", "replicas": 5}, {"at": "2026-03-02T20:00:00+00:00", "replicas": 2}], "schedule": [], "reasons": [{"code": "mode_chosen", "detail": "dedicated on m5.large costs least", "before": null, "after": null}]}, "saving": {"usd_per_month": 210.24, "low": 105.12, "high": 231.26400000000004}, "confidence": 0.9}',1,'accepted','2026-03-02T11:30:00.000000Z',NULL,NULL);
INSERT INTO "recommendations" VALUES('cebca9453eedc779','shop:young','hold','2026-03-02T12:00:00.000000Z','2026-03-02T18:00:00.000000Z','2026-03-02T12:00:00.000000Z','{"request_rate": "2026-03-02T11:59:00+00:00"}','cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd',NULL,'{"kind": "hold", "id": "cebca9453eedc779", "workload": "shop:young", "created_at": "2026-03-02T12:00:00+00:00", "valid_until": "2026-03-02T18:00:00+00:00", "current": {"unknown": "what it runs on is not declared"}, "reasons": [{"code": "thin_history", "detail": "1 d of load history; needed: 2 d", "before": null, "after": null}], "evidence": {"inputs_sha256": "cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd", "forecast": {}, "backtest": {}, "replay": {}, "capacity": {}, "prices": {}, "break_even": {}}, "last_good": {"unknown": "there was no recommendation before"}, "needs": "more history of the load"}',1,'open',NULL,NULL,NULL);
INSERT INTO "recommendations" VALUES('11f092098e2996d3','shop:tagger','act','2026-03-02T12:00:00.000000Z','2026-03-02T18:00:00.000000Z','2026-03-02T12:00:00.000000Z','{"request_rate": "2026-03-02T11:59:00+00:00"}','abababababababababababababababababababababababababababababababab',210.24,'{"kind": "act", "id": "11f092098e2996d3", "workload": "shop:tagger", "created_at": "2026-03-02T12:00:00+00:00", "valid_until": "2026-03-02T18:00:00+00:00", "current": {"replicas": 8, "mean_replicas": 8.0, "mode": "dedicated", "purchase": {"reserved": 0.0, "on_demand": 8.0, "spot": 0.0}, "offer": "m5.large", "usd_per_month": 560.64}, "reasons": [{"code": "forecast", "detail": "23 requests/s at most", "before": null, "after": null}, {"code": "mode_chosen", "detail": "dedicated on m5.large costs least", "before": null, "after": null}, {"code": "step_down", "detail": "at most half at once", "before": "3", "after": "5"}], "evidence": {"inputs_sha256": "abababababababababababababababababababababababababababababababab", "forecast": {"origin": "2026-03-02T12:00:00Z", "model": "combined", "step_s": 3600.0, "plan_quantile": 0.75, "mean_rps": [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 12.0, 13.0, 14.0, 15.0, 16.0, 17.0, 18.0, 19.0, 20.0, 21.0, 22.0, 23.0], "quantiles_rps": {"p50": [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 12.0, 13.0, 14.0, 15.0, 16.0, 17.0, 18.0, 19.0, 20.0, 21.0, 22.0, 23.0], "p99": [0.0, 2.0, 4.0, 6.0, 8.0, 10.0, 12.0, 14.0, 16.0, 18.0, 20.0, 22.0, 24.0, 26.0, 28.0, 30.0, 32.0, 34.0, 36.0, 38.0, 40.0, 42.0, 44.0, 46.0]}}, "backtest": {"scoreboard": [{"model": "combined", "mae": 1.5}]}, "replay": {"rows": [{"policy": "trimtab", "usd": 3.5}]}, "capacity": {"rate_rps": 4.0, "time_to_ready_s": 300.0}, "prices": {}, "break_even": {}}, "plan": {"proposed": {"replicas": 5, "mean_replicas": 5.0, "mode": "dedicated", "purchase": {"reserved": 0.0, "on_demand": 5.0, "spot": 0.0}, "offer": "m5.large", "usd_per_month": 350.4}, "usd_per_month_low": 300.0, "usd_per_month_high": 420.0, "calendar": [{"at": "2026-03-02T12:00:00+00:00", "replicas": 5}, {"at": "2026-03-02T20:00:00+00:00", "replicas": 2}], "schedule": [], "reasons": [{"code": "mode_chosen", "detail": "dedicated on m5.large costs least", "before": null, "after": null}]}, "saving": {"usd_per_month": 210.24, "low": 105.12, "high": 231.26400000000004}, "confidence": 0.9}',1,'open',NULL,'2026-03-02T13:00:00.000000Z','Prometheus: refused');
CREATE TABLE reports (
	day DATE NOT NULL,
	generated_at VARCHAR(27) NOT NULL,
	files JSON NOT NULL,
	PRIMARY KEY (day)
);
INSERT INTO "reports" VALUES('2026-03-01','2026-03-02T12:00:00.000000Z','{"html": "<p>", "csv": "a\n"}');
CREATE TABLE totals (
	name VARCHAR(64) NOT NULL,
	count INTEGER NOT NULL,
	PRIMARY KEY (name)
);
CREATE TABLE workloads (
	id VARCHAR(512) NOT NULL,
	body JSON NOT NULL,
	PRIMARY KEY (id)
);
INSERT INTO "workloads" VALUES('shop:ranker','{"id": "shop:ranker", "runtime": "trimtab-serving", "labels": {"service": "shop", "model": "ranker"}, "slo": {"attainment": 0.999, "latency_quantile": 0.95, "latency_seconds": 0.5}, "resources": {"cpu_cores": 1.0, "memory_gib": 2.0, "model_gib": 0.5, "accelerator": null, "accelerator_count": 0, "architecture": "amd64"}, "bounds": {"min_replicas": 1, "max_replicas": null}, "modes": ["dedicated", "serverless", "shared"], "cloud": "aws", "region": "us-east-1", "isolation_group": null, "team": "shop", "target": null}');
INSERT INTO "workloads" VALUES('shop:tagger','{"id": "shop:tagger", "runtime": "trimtab-serving", "labels": {"service": "shop", "model": "tagger"}, "slo": {"attainment": 0.999, "latency_quantile": 0.95, "latency_seconds": 0.5}, "resources": {"cpu_cores": 1.0, "memory_gib": 2.0, "model_gib": 0.5, "accelerator": null, "accelerator_count": 0, "architecture": "amd64"}, "bounds": {"min_replicas": 1, "max_replicas": null}, "modes": ["dedicated", "serverless", "shared"], "cloud": "aws", "region": "us-east-1", "isolation_group": null, "team": "shop", "target": null}');
CREATE INDEX ix_recommendations_created_at ON recommendations (created_at);
CREATE INDEX ix_recommendations_workload ON recommendations (workload);
CREATE INDEX ix_recommendations_newest ON recommendations (latest, workload);
CREATE INDEX ix_cycles_at ON cycles (at);
CREATE INDEX ix_alerts_received_at ON alerts (received_at);
COMMIT;
