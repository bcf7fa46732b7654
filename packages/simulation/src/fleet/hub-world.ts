/** All foreign controllers of one hub, started and stopped together. */
import { clusterCleanup } from '../hub/cluster-cleanup.ts'
import type { HubAccess, HubKnobs, Ports } from '../hub/context.ts'
import type { Controller } from '../hub/controller.ts'
import { csrApprover } from '../hub/csr-approver.ts'
import { HubView } from '../hub/hub-view.ts'
import { leaseController } from '../hub/lease-controller.ts'
import { type Disaster, type Provisioners, provisioners } from '../hub/provisioners.ts'
import { registrationController } from '../hub/registration-controller.ts'
import { type Flags, RegistrationFlags } from '../hub/registration-flags.ts'
import { taintController } from '../hub/taint-controller.ts'
import { detachController, namespaceController } from '../import/detach-controller.ts'
import { importController, importStatusController } from '../import/import-controller.ts'

export class HubWorld {
  readonly view: HubView
  readonly #flags: RegistrationFlags
  readonly #controllers: readonly Controller[]
  readonly #provisioners: Provisioners

  constructor(access: HubAccess, ports: Ports, knobs: HubKnobs) {
    const view = new HubView(access, ports)
    const flags = new RegistrationFlags(view, ports, knobs)
    const provision = provisioners(view, ports)
    const registration = { view, ports, knobs, flags }
    this.view = view
    this.#flags = flags
    this.#provisioners = provision
    this.#controllers = [
      registrationController(registration),
      csrApprover(registration),
      leaseController(view, ports),
      taintController(view, ports),
      clusterCleanup(view, ports, knobs),
      ...provision.controllers,
      ...(knobs.importControllerMode === 'absent' ? [] : importControllers(view, ports, knobs)),
    ]
  }

  /** The registration settings in effect. */
  get flags(): Flags {
    return this.#flags.current
  }

  /** What Hive and Metal3 destroyed since the start. */
  get disasters(): readonly Disaster[] {
    return this.#provisioners.disasters
  }

  /** How much its controllers have to do right now. */
  get load(): number {
    return this.#controllers.reduce((sum, controller) => sum + controller.load, 0)
  }

  async start(): Promise<void> {
    await this.view.start()
    this.#flags.start()
    for (const controller of this.#controllers) controller.start()
  }

  async stop(): Promise<void> {
    this.#flags.stop()
    await Promise.all(this.#controllers.map(controller => controller.stop()))
    await this.view.stop()
  }
}

const importControllers = (view: HubView, ports: Ports, knobs: HubKnobs): Controller[] => [
  importController(view, ports, knobs),
  importStatusController(view, ports),
  detachController(view, ports, knobs),
  namespaceController(view, ports, knobs),
]
