/** Encrypts stored secrets with the operator key and binds them to their owner. */
export interface Vault {
  /** Encrypts a secret. The result is safe in JSON and SQL. To open it, pass the same `boundTo`, for example an access key ID. */
  seal(secret: string, boundTo: string): string;
  /**
   * Decrypts a sealed secret.
   *
   * @throws Error  `sealed` was altered, has another `boundTo`, or was sealed with an unknown operator key
   */
  open(sealed: string, boundTo: string): string;
}
