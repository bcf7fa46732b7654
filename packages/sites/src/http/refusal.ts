/** A request that is answered with an error, and the three forms in which clients read one. */

/** Thrown inside a transaction it takes everything back. The text is shown to the caller: no secrets in it. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly status: number
  constructor(status: number, text: string) {
    super(text)
    this.status = status
  }
}

const MEANINGS: Readonly<Record<number, readonly [title: string, explanation: string]>> = {
  400: ['Bad Request', 'The request is malformed or not allowed.'],
  401: ['Unauthorized', 'The request carries no valid credentials.'],
  403: ['Forbidden', 'Access was denied to this resource.'],
  404: ['Not Found', 'The resource could not be found.'],
  405: ['Method Not Allowed', 'The method is not allowed for this resource.'],
  409: ['Conflict', 'There was a conflict with what exists already.'],
  413: ['Request Entity Too Large', 'The body of the request is too large.'],
  422: ['Unprocessable Entity', 'The request could not be carried out.'],
  500: ['Internal Server Error', 'The server failed.'],
  503: ['Service Unavailable', 'The server cannot do this at the moment.'],
}

export interface ErrorAnswer {
  readonly contentType: string
  readonly body: string
}

/** HTML for clients that take anything, as command lines do that read the second line of its text. */
export function errorAnswer({ status, message }: Refusal, accept: string | undefined): ErrorAnswer {
  const [title, explanation] = MEANINGS[status] ?? ['Error', 'The request failed.']
  if (accept === undefined)
    return { contentType: 'text/plain; charset=UTF-8', body: `${status} ${title}\n\n${explanation}\n\n${message}\n` }
  if (accept.includes('json'))
    return {
      contentType: 'application/json',
      body: JSON.stringify({ message, code: `${status} ${title}`, title }),
    }
  return { contentType: 'text/html; charset=UTF-8', body: page(`${status} ${title}`, explanation, message) }
}

const page = (heading: string, explanation: string, text: string) => `<html>
 <head>
  <title>${heading}</title>
 </head>
 <body>
  <h1>${heading}</h1>
  ${explanation}<br /><br />
${escaped(text)}


 </body>
</html>`

const escaped = (text: string) => text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;')
