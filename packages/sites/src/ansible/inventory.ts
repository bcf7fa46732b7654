/** The two files that a rehome playbook reads; no value in them can break out of its place. Pure. */

export interface Destination {
  /** Name of the subcloud in its payload: key of the host, and what the run is limited to. */
  readonly name: string
  readonly bootstrapAddress: string
}

/** One host, reached as `sysadmin`; its key is never remembered, because a subcloud may have been installed anew. */
export const inventoryOf = ({ name, bootstrapAddress }: Destination): string =>
  text({
    all: {
      vars: {
        ansible_ssh_user: 'sysadmin',
        ansible_ssh_extra_args: '-o UserKnownHostsFile=/dev/null',
        ansible_python_interpreter: '/usr/bin/python3',
        initial_deployment: false,
      },
      hosts: { [name]: { ansible_host: bootstrapAddress } },
    },
  })

/** Members of a payload that are for somebody else, or travel under another name. */
const LEFT_OUT = [/^deploy_/, /^install_values$/, /^sysadmin_password$/]

export interface Overrides {
  /** Bootstrap values and everything else of the payload, by the names the playbook knows. */
  readonly payload: Readonly<Record<string, unknown>>
  /** What the playbook must be told of the system controller that takes the subcloud. */
  readonly system: {
    readonly subnet: string
    readonly floatingAddress: string
    readonly oamSubnet: string
    readonly oamFloatingAddress: string
  }
  readonly sysadminPassword: string
}

export const overridesOf = ({ payload, system, sysadminPassword }: Overrides): string =>
  text({
    region_config: 'yes',
    distributed_cloud_role: 'subcloud',
    system_controller_subnet: system.subnet,
    system_controller_floating_address: system.floatingAddress,
    system_controller_oam_subnet: system.oamSubnet,
    system_controller_oam_floating_address: system.oamFloatingAddress,
    ...Object.fromEntries(Object.entries(payload).filter(([key]) => !LEFT_OUT.some(pattern => pattern.test(key)))),
    ansible_ssh_pass: sysadminPassword,
    ansible_become_pass: sysadminPassword,
  })

/**
 * JSON text is YAML; strings that Jinja would evaluate get the tag that keeps them as they are: a password with two
 * braces is a password.
 */
const text = (value: unknown) => `${render(value)}\n`

function render(value: unknown): string {
  if (typeof value === 'string') return `${/\{[{%#]/.test(value) ? '!unsafe ' : ''}${quoted(value)}`
  if (Array.isArray(value)) return `[${value.map(render).join(', ')}]`
  if (value !== null && typeof value === 'object')
    return `{${Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .map(([key, member]) => `${quoted(key)}: ${render(member)}`)
      .join(', ')}}`
  return JSON.stringify(value ?? null)
}

/** Control characters that JSON lets through and YAML does not. */
const quoted = (value: string) =>
  JSON.stringify(value).replace(
    /[\u007f-\u009f\u2028\u2029\ufeff]/g,
    character => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
