/** Controls about the operation of the server: sections 10 to 14 of the security requirements. */
import { accountAdministrator, type Control, operator, project } from './control.ts';

// biome-ignore format: a table
export const OPERATION_CONTROLS: readonly Control[] = [
  // Section 10: logging and monitoring.
  project('10-every-request', 'Each signed request has a trail record that is durable before the response, except data events that no trail selects.', 'src/server/core/call.ts', 'test/recording/trail-records.test.ts'),
  project('10-no-secrets', 'Trail records, logs and errors contain no secrets.', 'src/trail/redact.ts', 'test/server/canary.test.ts'),
  project('10-bounded-records', 'Requests without a proven identity have a limited number of records, and the others are counted.', 'BELFRY_UNPROVEN_RECORDS', 'test/server/unproven-records.test.ts'),
  project('10-chain', 'Trail records are numbered and chained, so that a changed or removed record is found.', 'src/store/trail/trail-chain.ts', 'test/trail-log/attacks.test.ts'),
  project('10-transparency-log', 'Trail records are in a signed transparency log that witnesses can cosign.', 'src/tlog/witness/witness.ts', 'test/trail-log/witnessed.test.ts'),
  project('10-digests', 'Delivered log files have signed digests that the AWS CLI can verify.', 'src/delivery/digest-run.ts', 'test/server/digests.test.ts'),
  project('10-deletions', 'The trail records how many of its records retention has deleted, and keeps their hashes.', 'src/server/core/trail-retention.ts', 'test/server/trail-retention.test.ts'),
  operator('10-witnesses', 'Witnesses on machines of other people cosign the checkpoints of the log.', 'BELFRY_WITNESSES; belfry witness start on another machine'),
  operator('10-clock', 'The clock of the host is synchronized.', 'a time service of the host'),
  operator('10-server-logs', 'The log and the metrics of the server are collected and watched.', 'BELFRY_METRICS; ops/alert-rules.yml'),
  operator('10-verification', 'The trail is verified regularly, with the witnesses and with copies of delivered files.', 'belfry trail verify, belfry trail verify-files'),
  accountAdministrator('10-trails', 'A trail of all regions delivers with file validation to a bucket that few can write.', 'CreateTrail, StartLogging; rules cloudtrail-enabled and cloud-trail-log-file-validation-enabled'),
  accountAdministrator('10-alarms', 'Alarms report denied requests, changes of policies and uses of the root user.', 'PutMetricFilter, PutMetricAlarm'),

  // Section 11: compliance validation.
  project('11-credential-report', 'The credential report has the passwords, MFA devices and keys of all users with their last uses.', 'src/services/iam/credential-facts.ts', 'test/iam/reports.test.ts'),
  project('11-last-accessed', 'The last use of each service and action of users and roles is known.', 'src/services/iam/last-accessed.ts', 'test/iam/reports.test.ts'),
  project('11-rules', 'Configuration rules show which facts of an account deviate, with the calls that show each fact.', 'src/server/core/configuration-rules.ts', 'test/compliance/rules.test.ts'),
  project('11-report', 'A compliance report has evidence for an audit, and hashes of its files.', 'src/compliance/report/write-report.ts', 'test/compliance/report.test.ts'),
  operator('11-report-storage', 'Compliance reports and the SHA-256 of their manifests are stored where their readers can trust them.', 'belfry compliance report'),
  accountAdministrator('11-retention-of-chat', 'The retention of rooms and conversations of Amazon Chime accounts is set as the organization requires.', 'PutRetentionSettings'),
  accountAdministrator('11-event-history', 'The organization decides how long the event history must stay, and agrees it with the operator.', 'belfry trail retention'),

  // Section 12: resilience.
  project('12-durable', 'No acknowledged change is lost if the process or the machine stops.', 'src/store/engine/sqlite.ts', 'test/store/power-cut.test.ts'),
  project('12-backup', 'A backup is consistent while the server runs.', 'src/store/engine/backup.ts', 'test/store/backup.test.ts'),
  project('12-full-trail', 'While the trail cannot be written, changes are refused.', 'src/server/core/trail-gap.ts', 'test/server/trail-gap.test.ts'),
  project('12-restore-is-visible', 'After a restore the transparency log names the lost records.', 'src/server/core/trail-log-gate.ts', 'test/trail-log/head-file.test.ts'),
  operator('12-backups', 'Backups are made regularly, stored apart, and a restore is practised.', 'belfry backup; docs/guide.md, "The data folder"'),
  operator('12-database-server', 'A PostgreSQL database is replicated and backed up as the organization requires.', 'operation of PostgreSQL'),
  operator('12-capacity', 'Disks, memory and connections of the host have reserves.', 'metrics of the server and of the host'),
  accountAdministrator('12-connector-groups', 'Voice Connectors that must not fail are in groups.', 'CreateVoiceConnectorGroup'),

  // Section 13: infrastructure security.
  project('13-tls', 'HTTPS accepts TLS 1.2 and 1.3, and only suites with forward secrecy.', 'src/server/tls-floor.ts', 'test/server/tls.test.ts'),
  project('13-plain-http', 'Plain HTTP listens only on loopback addresses, unless trusted proxies are configured.', 'BELFRY_HTTP', 'test/server/proxies.test.ts'),
  project('13-private-files', 'The server does not start if other users can read its secrets or write to its folders.', 'src/server/data-folder.ts', 'test/server/data-folder.test.ts'),
  project('13-limits', 'A client cannot take the connections, memory or time of the others.', 'src/server/edge/loads.ts', 'test/hostile/hostile.test.ts'),
  project('13-outgoing', 'The server connects to no internal address for an account, unless the operator allows the host.', 'src/access/guarded-fetch.ts', 'src/access/guarded-fetch.test.ts'),
  project('13-local-ca', 'The local CA can sign only for this server.', 'src/server/edge/local-ca.ts', 'test/server/local-ca.test.ts'),
  project('13-no-remote-administration', 'Commands of the operator are not available on the network.', 'src/server/operator/control.ts', 'test/server/operator.test.ts'),
  operator('13-certificate', 'The certificate of the server is valid, and clients trust its issuer.', 'BELFRY_TLS_CERTIFICATE, or data/tls/ca.pem on the clients'),
  operator('13-network', 'A firewall admits only the ports that clients need.', 'network of the host'),
  operator('13-disk-encryption', 'The disks of the database, the objects and the backups are encrypted.', 'disks of the host'),
  operator('13-host-patches', 'The operating system, Node.js, PostgreSQL and proxies have current security updates.', 'updates of the host'),
  operator('13-physical', 'The machines are in places that only authorized people can enter.', 'data center or office'),
  accountAdministrator('13-tls-policy', 'A policy denies requests without TLS, if the account requires it.', 'Deny with Bool aws:SecureTransport false'),

  // Section 14: updates.
  project('14-pages', 'Browsers load the current pages after an update of the server.', 'src/server/sign-in/http.ts', 'test/sign-in/pages.test.ts'),
  project('14-migrations', 'An older version of the server refuses a database that a newer version has migrated.', 'src/store/migrate.ts', 'src/store/engine/sqlite.test.ts'),
  project('14-pinned-packages', 'Each package of the server has a fixed version and a hash.', 'package-lock.json', 'test/compliance/software.test.ts'),
  operator('14-updates', 'New versions of the server are installed, after a backup.', 'docs/guide.md, "Upgrade"; CHANGELOG.md'),
  operator('14-advisories', 'Advisories about the packages of the software bill of materials are watched.', 'the file sbom.cdx.json of the compliance report'),
  accountAdministrator('14-clients', 'Clients use current versions of the SDKs and of the AWS CLI.', 'user agents in the trail'),
];
