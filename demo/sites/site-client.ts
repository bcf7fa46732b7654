/** The API of one site, as a program of an operator uses it. */

export type Json = Readonly<Record<string, unknown>>

export interface Form {
  readonly fields: Readonly<Record<string, string>>
  readonly files: Readonly<Record<string, string>>
}

export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly status: number
  constructor(status: number, text: string) {
    super(text)
    this.status = status
  }
}

export class SiteClient {
  readonly #url: string
  readonly #token: string

  private constructor(url: string, token: string) {
    this.#url = url
    this.#token = token
  }

  static async logIn(url: string, name: string, password: string): Promise<SiteClient> {
    const domain = { name: 'Default' }
    const identity = { methods: ['password'], password: { user: { name, password, domain } } }
    const scope = { project: { name: 'admin', domain } }
    const answer = await fetch(`${url}/v3/auth/tokens`, {
      method: 'POST',
      body: JSON.stringify({ auth: { identity, scope } }),
    })
    const token = answer.headers.get('x-subject-token')
    if (token === null) throw new Error(`${url} gave no token: ${answer.status}`)
    return new SiteClient(url, token)
  }

  get(path: string): Promise<Json> {
    return this.#send('GET', path)
  }

  async list(path: string): Promise<readonly Json[]> {
    const [items] = Object.values(await this.get(path))
    return items as readonly Json[]
  }

  post(path: string, body: Json): Promise<Json> {
    return this.#send('POST', path, JSON.stringify(body))
  }

  patch(path: string, body?: Json): Promise<Json> {
    return this.#send('PATCH', path, body && JSON.stringify(body))
  }

  sendForm(method: 'POST' | 'PATCH', path: string, { fields, files }: Form): Promise<Json> {
    const form = new FormData()
    for (const [name, value] of Object.entries(fields)) form.append(name, value)
    for (const [name, content] of Object.entries(files)) form.append(name, new File([content], `${name}.yml`))
    return this.#send(method, path, form)
  }

  async #send(method: string, path: string, body?: string | FormData): Promise<Json> {
    const headers = {
      'x-auth-token': this.#token,
      accept: 'application/json',
      ...(typeof body === 'string' && { 'content-type': 'application/json' }),
    }
    const answer = await fetch(`${this.#url}/v1.0${path}`, { method, headers, ...(body !== undefined && { body }) })
    const value = (await answer.json()) as Json
    if (answer.status !== 200) throw new ApiError(answer.status, String(value['message']))
    return value
  }
}
