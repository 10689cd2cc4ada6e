/** The thread that verifies SAML assertions. It has no state. Each message contains an assertion and its provider. */
import type { SamlJob, VerifiedAssertion } from '#access/saml.ts';
import { prepareLoading } from '../module-loading.ts';

prepareLoading();
// `prepareLoading` has enabled the compile cache. An earlier import of the SAML library would bypass the cache.
const { verifySaml } = await import('#access/saml.ts');
const { serveJobs } = await import('./serve-jobs.ts');

serveJobs<SamlJob, VerifiedAssertion>(verifySaml);
