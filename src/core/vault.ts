/** Encrypts stored secrets with the operator key (the server's master key) and binds each secret to its owner. */
export interface Vault {
  /**
   * Encrypts a secret of the owner `boundTo`, for example an access key ID. The result is safe in JSON and SQL. To
   * decrypt the result, pass the same `boundTo` to `open`.
   */
  seal(secret: string, boundTo: string): string;
  /**
   * Decrypts a sealed secret.
   *
   * @throws Error  `sealed` was altered, has another `boundTo`, or was sealed with an unknown operator key
   */
  open(sealed: string, boundTo: string): string;
}
