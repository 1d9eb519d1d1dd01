// Planted fault: the stock figures were renamed, and this script still asks for the old name.
const stock = { available: { rope: 14, lamp: 3 } };
try {
  document.querySelector('#stock').textContent += ` ${stock.inStore.rope} ropes in store.`;
} catch (error) {
  console.error('stock: the figures could not be shown', error.message);
}
