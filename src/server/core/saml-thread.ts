/** The thread that verifies SAML assertions. It owns nothing: each assertion comes with its provider. */
import type { SamlJob, VerifiedAssertion } from '#access/saml.ts';
import { useCompileCache } from '../compile-cache.ts';

useCompileCache();
// The SAML library comes from the cache of compiled sources too.
const { verifySaml } = await import('#access/saml.ts');
const { serveJobs } = await import('./serve-jobs.ts');

serveJobs<SamlJob, VerifiedAssertion>(verifySaml);
