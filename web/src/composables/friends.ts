import { stored } from './stored'
import { isOwnVisitor, viewerName } from './wording'

const LONGEST_NAME = 24

/** The reader's name on invitations, kept in the browser. */
export const ownName = stored<string>('gars.name', '', (value) => (typeof value === 'string' ? value.slice(0, LONGEST_NAME) : null))

/** Read names of viewers from the fragment of an address, `#ID=Name&ID=Name`. A fragment is not sent to the service. */
export function namesFrom(hash: string): ReadonlyMap<string, string> {
  const names = new Map<string, string>()
  for (const [id, name] of new URLSearchParams(hash.replace(/^#/, ''))) {
    const shown = name.trim().slice(0, LONGEST_NAME)
    if (shown) names.set(id, shown)
  }
  return names
}

/** Write the names of some viewers as the fragment of an address; empty without names. */
export function hashOf(ids: readonly string[], names: ReadonlyMap<string, string>): string {
  const named = new URLSearchParams()
  for (const id of ids) {
    const name = names.get(id)
    if (name) named.set(id, name)
  }
  const text = named.toString()
  return text && `#${text}`
}

/** Name viewers for the reader, each differently: "You" for the reader's own visitor, else the given or the usual name. */
export function distinctNames(ids: readonly string[], given: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const taken = new Set<string>()
  const names = new Map<string, string>()
  for (const id of ids) {
    const plain = isOwnVisitor(id) ? viewerName(id) : (given.get(id) ?? viewerName(id))
    let name = plain
    for (let n = 2; taken.has(name.toLowerCase()); n += 1) name = `${plain} ${n}`
    taken.add(name.toLowerCase())
    names.set(id, name)
  }
  return names
}
