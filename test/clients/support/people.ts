/** As whom the tests run `contextfs`: whoever we are; root also as a normal user, where one can read what is needed. */
import { readableByAll } from "./settings.js"

export interface Person {
  readonly name: string
  readonly uid: number
  readonly gid: number
}

const uid = process.getuid?.() ?? -1
const gid = process.getgid?.() ?? -1

const present: Person = { name: uid === 0 ? "root" : "the present user", uid, gid }
const normal: Person = { name: "a normal user", uid: 65_534, gid: 65_534 }

/** The normal user last. */
export const people: ReadonlyArray<Person> = uid === 0 && readableByAll ? [present, normal] : [present]
