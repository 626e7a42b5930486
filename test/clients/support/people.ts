/** As whom the tests run `contextfs`: root and a normal user where we may be both, else whoever we are. */

export interface Person {
  readonly name: string
  readonly uid: number
  readonly gid: number
}

const uid = process.getuid?.() ?? -1
const gid = process.getgid?.() ?? -1

/** The normal user last. */
export const people: ReadonlyArray<Person> =
  uid === 0
    ? [
        { name: "root", uid, gid },
        { name: "a normal user", uid: 65_534, gid: 65_534 }
      ]
    : [{ name: `user ${uid}`, uid, gid }]
