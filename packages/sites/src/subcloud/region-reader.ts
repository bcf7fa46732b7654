/** Which region an installed subcloud is of: it is asked itself, before it is taken in. */
export interface RegionReader {
  /** @throws Error when it cannot be reached, refuses the password, or says nothing that can be read */
  regionOf(subcloud: { readonly bootstrapAddress: string; readonly sysadminPassword: string }): Promise<string>
}
