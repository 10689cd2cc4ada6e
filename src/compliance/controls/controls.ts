/** The responsibility matrix: each control of the server, with one owner. `npm run responsibility` writes docs/responsibility.md from it. */
import type { Control } from './control.ts';
import { IDENTITY_CONTROLS } from './identity-controls.ts';
import { OPERATION_CONTROLS } from './operation-controls.ts';

/** All controls, in the order of their sections. */
export const CONTROLS: readonly Control[] = [...IDENTITY_CONTROLS, ...OPERATION_CONTROLS];

/** Subjects that a report of the server does not assess. Requirement COMP-9. */
export const NOT_ASSESSED: readonly string[] = [
  'Certifications and attestations, such as SOC, ISO 27001, PCI DSS, HIPAA and FedRAMP.',
  'The host: its operating system, users, services, updates and hardening.',
  'The network: firewalls, proxies, name servers and the way between clients and the server.',
  'Physical security of machines, disks and people.',
  'Encryption of disks and of backups, and whether a backup can be restored.',
  'Handling of the operator key and of its copies.',
  'PostgreSQL, object services, SIP proxies, directories and identity providers outside the server.',
  'Other servers on the same database: their settings, certificates and software.',
  'Known vulnerabilities of the packages in the software bill of materials.',
  'Media of meetings and calls.',
  'Clients: browsers, SDKs, programs and the credentials that they store.',
  'Processes of the organization: reviews, training, incident response and the laws that apply to it.',
  'Requests before the window of the report, and records that retention has deleted.',
  'Conditions and resources in policies: access of a principal is reported by action.',
];

/** Sentence of each report. Requirement COMP-9. */
export const NO_CERTIFICATION =
  'This report is evidence for an audit. It is not a certification, and it does not state that a law or a standard is met.';
