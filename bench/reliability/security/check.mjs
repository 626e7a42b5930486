/** Runs one promise by itself: `node bench/reliability/security/check.mjs p19 [scale] [seed]`. */
const [name, scale = "1", seed = "1"] = process.argv.slice(2)
const { id, promise, run } = await import(`../promises/${name}.mjs`)
const began = performance.now()
const { figure, floor, ok } = await run({
  scale: Number(scale),
  seed: Number(seed),
  note: (text) => console.log(`# ${text}`)
})
console.log(
  `${id} ${promise} ${figure} (floor: ${floor}) ${ok ? "met" : "missed"} seed ${seed}, ${((performance.now() - began) / 1000).toFixed(1)} s`
)
process.exitCode = ok ? 0 : 1
